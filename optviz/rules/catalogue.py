"""The rules that optviz brings, in the order in which menus offer them."""

from __future__ import annotations

from ..listed import own_classes
from . import averaging, coupled, optimizers, recent
from .rule import Rule


def own_rules() -> list[type[Rule]]:
    """Every rule of the catalogue: PyTorch's and the seed's, then those that came after."""
    return [cls for module in (optimizers, recent, coupled, averaging) for cls in own_classes(module.__name__, Rule)]
