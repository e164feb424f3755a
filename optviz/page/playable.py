"""What an experiment says of its runs: step by step for a page's player, stored for a page that cannot make them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..pictures.layers import Columns
from ..runs.steps import Played


class Playable:
    """What pages ask of an experiment's runs. Without an answer nothing is played, and nothing stored."""

    replays: bool = False  # whether Python alone makes its runs, and pages look through those that it stores
    carries: bool = False  # whether it says itself what a page carries of a rule or surface that only Python can run

    typed_role: str = "objective"  # the parameter that holds a surface whose formula was typed

    def played(self) -> list[Played]:
        """The runs that a page's player walks through, that which it dissects at first before the others."""
        return []

    def playhead(self, step: int) -> dict[str, dict[str, Columns]]:
        """Where the player stands after so many steps: the columns of layers that `draw` leaves out, by figure."""
        return {}

    def typed_surface(self) -> Any:
        """The surface whose formula was typed, None where another one is chosen."""
        return None

    def stands(self) -> int:
        """The step that parameters say, where an experiment has such: the player follows them, and sets `stand`."""
        return -1

    def stand(self, step: int) -> dict[str, Any]:
        """Parameters that say where the player stands."""
        return {}

    def replayed(self, values: Mapping[str, float]) -> dict[str, Any]:
        """What a page stores of the run with these knobs, where `replays`: arrays in `optviz.export.stored.GROUPS`."""
        raise NotImplementedError

    def replay_knobs(self) -> dict[str, list[float]]:
        """The knobs of a page that nobody chose, where `replays`, and their values."""
        raise NotImplementedError

    def carried(self) -> Any:
        """The `optviz.export.store.Store` of a page, where `carries`."""
        raise NotImplementedError
