"""Surfaces from formulas that are typed: the menu's entry for them, and what it brings."""

from __future__ import annotations

from typing import Any

from ..menus import resolved, surfaces
from ..objectives.formula import EXAMPLE, OWN, Formula, FormulaText

CHOICES = {"objective_name", "formula"}  # what may bring another surface


def formula_parameter() -> FormulaText:
    """The parameter for the formula."""
    return FormulaText(EXAMPLE, label="Formula", doc="Of x and y; other letters become sliders: x^2 + a sin(b y).")


def given_surface(params: dict[str, Any], usual: str, who: str, curves: bool = False) -> Any:
    """The surface, or curve, that an experiment is made with: given, by a menu's entry, or by a formula."""
    given = params.get("objective", params.get("objective_name", OWN if "formula" in params else usual))
    if isinstance(given, str) and given == OWN:
        return Formula(params.get("formula", EXAMPLE), curve=curves)
    return resolved("objective", given, who, curves)


def offered_surfaces(curves: bool = False) -> list[str]:
    """What a menu of surfaces offers: those of the catalogue, its curves where they are shown, a formula."""
    return [*[label for label, cls in surfaces().items() if curves or not cls.is_curve], OWN]


def surface_of(experiment: Any, changed: set[str], curves: bool = False) -> Any:
    """The surface that a menu stands at, or whose formula has just been typed: letters that stay keep their values."""
    label = experiment.objective_name if "objective_name" in changed else OWN
    if label != OWN:
        return experiment.chosen("objective", label)
    return typed(experiment.formula, None if "objective_name" in changed else experiment.objective, curves)


def typed(text: str, before: Any, curves: bool = False) -> Any:
    """The surface of a formula, with the letters of the one before as far as it has them."""
    made = Formula(text, curve=curves)
    if not isinstance(before, Formula):
        return made
    kept = before.arguments()
    return Formula(
        **{**{name: value for name, value in kept.items() if made.holds(name)}, "text": text, "curve": curves}
    )


def text_of(surface: Any, text: str) -> str:
    """The formula to show for a surface: its own where it is one that was typed."""
    return surface.text if isinstance(surface, Formula) else text
