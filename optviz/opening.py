"""The index: one picture that moves, and the cards that lead to every experiment."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from .experiments.surface_descent import SurfaceDescent
from .export.page import BODY, program
from .menus import label_of
from .page.controls import knobs_of
from .page.layout import frame, page_script, stylesheet
from .page.page import Page
from .pictures.layers import Drawing, Figure
from .rules.optimizers import Momentum
from .state.subject import Members


class Opening(SurfaceDescent):
    """One path of momentum, and the two knobs that matter most: what the index begins with."""

    __abstract = True
    lessons = counter_examples = ()  # nor is it one of its own

    def __init__(self, **params: Any):
        super().__init__(**{"optimizer": Momentum(lr=0.1, momentum=0.8), "steps": 60, **params})

    def figures(self) -> list[Figure]:
        return [replace(super().figures()[0], height=300)]

    def draw(self) -> dict[str, Drawing]:
        return {"surface": self._draw_surface()}

    def side(self) -> dict[str, str]:
        return {}

    def members(self) -> Members:
        held = {"optimizer": self.optimizer, "objective": self.objective}
        return {(role, label_of(member)): member for role, member in held.items()}

    def controls(self, members: Members | None = None) -> list[Any]:
        return [knobs_of(self.optimizer, ["lr", "momentum"])]

    def arrange(self, page: Page) -> Any:
        return frame(page.controls, [page.message, page.status, *page.pictures("surface")], [], [])


# what its scripts fill, on a page that has a main part of its own
PLACE = BODY.replace("<main", "<div").replace("</main", "</div")


def opening_script() -> str:
    """The script of the picture that moves, once Bokeh's are there."""
    return stylesheet("opening.js") + page_script() + program(Opening(), more=lambda page: "breathe")
