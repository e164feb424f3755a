"""The field that a formula is typed into, and the sliders of its letters; assets/formula.js is their look."""

from __future__ import annotations

from typing import Any

import panel as pn

from ..objectives.formula import FARTHEST, OWN, Formula, ends_of
from ..trace.formula_text import parsed
from ..trace.formula_tokens import LETTERS
from .controls import knobs_of, shown_while
from .fields import NumberSlider, tried
from .insides import Checked, declared_by, widgets_of


class FormulaField(Checked, pn.widgets.TextInput):
    """A field for a formula: what cannot be read stays in it, with a word on what would be right."""

    def __init__(self, **params):
        super().__init__(**{**params, "tags": ["formula"]})

    def receive(self, value: Any) -> None:
        found = parsed(str(value))
        why = found["why"] or tried(self, value)
        refused = {"why": why, "at": found["at"], "to": found["to"], "text": value}
        self.tags = ["formula", *([{"refused": refused}] if why else [])]


class LetterSlider(NumberSlider):
    """The slider of a formula's letter; its ends can be typed, too."""

    def __init__(self, **params):
        super().__init__(**{**params, "tags": ["letter"]})
        self.param.watch(lambda event: self._hear_ends(event.new), "tags")

    def _hear_ends(self, tags: list[Any]) -> None:
        asked = [tag["ends"] for tag in tags if isinstance(tag, dict) and "ends" in tag]
        if not asked:
            return
        low, high = (float(end) if isinstance(end, int | float) else FARTHEST * 2 for end in asked[-1])
        others = [tag for tag in tags if not (isinstance(tag, dict) and {"ends", "refused"} & set(tag))]
        if not -FARTHEST <= low < high <= FARTHEST:
            why = f"A slider runs from one number to a larger one, not from {low:g} to {high:g}."
            self.tags = [*others, {"refused": why}]
            return
        self.tags = others
        owner, name = declared_by(self)
        owner.param.update(**dict(zip(ends_of(name), (low, high), strict=True)))
        self.param.update(start=low, end=high)


def formula_knobs(experiment: Any, menu: pn.Param, name: str) -> pn.Column:
    """The field for a formula, while a menu of surfaces stands at the entry for it."""
    field = knobs_of(experiment, ["formula"], {"formula": {"type": FormulaField}})
    return shown_while(widgets_of(menu)[name], f'cb_obj.value === "{OWN}"', getattr(experiment, name) == OWN, field)


def letter_knobs(surface: Formula, every: bool = False, visible: bool = True) -> pn.Param:
    """The sliders of a formula's letters; of `every` letter that one may have, on a page without a server."""
    names = list(LETTERS) if every else surface.shape_names()
    return knobs_of(surface, names, {name: {"type": LetterSlider, "format": "0.00"} for name in names}, visible)
