"""The surfaces that noisy runs walk on, and where they begin on each."""

from __future__ import annotations

from typing import Any

from ..menus import surfaces
from ..objectives.formula import OWN
from ..objectives.surfaces import RotatedQuadratic
from .typed import typed

SURFACES = dict(surfaces())
BOWL = RotatedQuadratic.label
START = (-1.6, 1.2)  # on the rotated quadratic, at any angle of it


def surface_now(experiment: Any) -> Any:
    """The surface that an experiment's controls say."""
    if experiment.surface == OWN:
        return typed(experiment.own.text, experiment.own)  # another one each time that a letter has moved
    if experiment.surface == BOWL:
        return RotatedQuadratic(condition=experiment.condition, angle=experiment.angle)
    return SURFACES[experiment.surface]()


def start_on(label: str, own: Any) -> Any:
    """Where runs on a surface begin."""
    if label == OWN:
        return own.starts[0]
    return START if label not in SURFACES or label == BOWL else SURFACES[label]().starts[0]
