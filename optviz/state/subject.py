"""What a page, a link and an export ask of an experiment, whoever it is."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any, ClassVar, Protocol

import param

Members = Mapping[tuple[str, str], Any]


class Subject(Protocol):
    """Declared parameters, results computed from them, and pictures and words of the results.

    `optviz.experiment.Experiment` says what each member is for.
    """

    foundation: ClassVar[type]  # the class that all subjects have in common: what it defines itself is no page's
    title: str
    sentence: str
    lines: tuple[int, int]
    narrowed: tuple[str, ...]
    typed_role: str
    replays: bool
    carries: bool
    frames_anew: tuple[str, ...]
    framings: int
    figures_follow: tuple[str, ...]
    lessons: tuple[Any, ...]
    message: Any
    results: Mapping[str, Any]
    drawings: dict[str, Any]
    worker: Any

    @property
    def param(self) -> param.parameterized.Parameters: ...

    @classmethod
    def menu(cls) -> list[str]: ...

    @classmethod
    def knobs(cls) -> list[str]: ...

    # what it computes and shows

    def follow(self, changed: set[str]) -> dict[str, Any]: ...

    def figures(self) -> list[Any]: ...

    def elements(self, figure: Any) -> list[Any]: ...

    def status(self) -> str: ...

    def side(self) -> dict[str, str]: ...

    def played(self) -> list[Any]: ...

    def playhead(self, step: int) -> dict[str, dict[str, Any]]: ...

    def stands(self) -> int: ...

    def stand(self, step: int) -> dict[str, Any]: ...

    def shade(self) -> dict[str, float]: ...

    def idle(self) -> list[str]: ...

    def controls(self, members: Members | None = None) -> list[Any]: ...

    def members(self) -> Members: ...

    def arrange(self, page: Any) -> Any: ...

    # what is done to it

    def take(self, owner: Any, values: Mapping[str, Any]) -> None: ...

    def restart(self) -> None: ...

    def tried(self) -> AbstractContextManager[list[str]]: ...

    def beside(self) -> Mapping[str, Any]: ...

    def typed_surface(self) -> Any: ...

    def rough(self) -> bool: ...

    def advance(self) -> None: ...
