"""What an experiment whose runs can be walked through says, step by step."""

from __future__ import annotations

from typing import Any

from ..pictures.layers import Columns
from ..runs.steps import Played


class Playable:
    """What a page's player asks of an experiment. Nothing is played unless it gives runs."""

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
