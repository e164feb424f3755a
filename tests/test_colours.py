"""Colours: inks that read on a light and on a dark page, series that stay apart without red or green cones."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from optviz.app import experiments
from optviz.experiments.race import COLOURS, STYLES
from optviz.pictures.layers import EIGHT, GROUNDS, SERIES

# Machado, Oliveira and Fernandes 2009, severity 1, on linear RGB
EYES = {
    "every cone": np.eye(3),
    "no red cones": np.array([[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216],
                              [-0.003882, -0.048116, 1.051998]]),
    "no green cones": np.array([[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
                                [-0.011820, 0.042940, 0.968881]]),
}  # fmt: skip
XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)


def linear(colour: str) -> np.ndarray:
    """A colour's share of red, green and blue light."""
    names = {"white": "#ffffff", "black": "#000000"}
    colour = names.get(colour, colour)
    c = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)


def contrast(one: str, two: str) -> float:
    """WCAG's ratio of luminances, 1 to 21."""
    low, high = sorted(XYZ[1] @ linear(colour) + 0.05 for colour in (one, two))
    return float(high / low)


def seen(colour: str, eye: np.ndarray) -> np.ndarray:
    """CIELAB of what an eye makes of a colour; one step is about what it just tells apart."""
    share = XYZ @ np.clip(eye @ linear(colour), 0, 1) / XYZ.sum(axis=1)
    root = np.where(share > 0.008856, np.cbrt(share), 7.787 * share + 16 / 116)
    return np.array([116 * root[1] - 16, 500 * (root[0] - root[1]), 200 * (root[1] - root[2])])


def nearest(colours, eye) -> float:
    return min(float(np.linalg.norm(seen(a, eye) - seen(b, eye))) for a, b in combinations(colours, 2))


def test_the_yardsticks_are_right():
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)  # WCAG's own example
    assert seen("#ff0000", np.eye(3)) == pytest.approx([53.24, 80.09, 67.20], abs=0.05)


@pytest.mark.parametrize("eye", EYES)
def test_series_stay_apart_for_every_eye(eye):
    assert nearest(EIGHT, EYES[eye]) > 20
    assert nearest(SERIES, EYES[eye]) > 20


def test_racers_of_one_colour_family_differ_in_their_dashes():
    for eye in EYES.values():
        for one, two in combinations(COLOURS, 2):
            if np.linalg.norm(seen(COLOURS[one], eye) - seen(COLOURS[two], eye)) < 30:
                assert STYLES[one] != STYLES[two], (one, two)


def reads(layer, ground: str) -> bool:
    """Whether a layer, or what outlines it, stands out from a ground."""
    colours = [layer.color] if layer.edge == "none" else [layer.color, layer.edge]
    return max(contrast(colour, ground) for colour in colours) >= 3


@pytest.mark.parametrize("kind", experiments().values(), ids=experiments())
def test_keys_and_lines_read_on_both_grounds(kind):
    for figure in kind().figures():
        bare = "image" not in figure.layers
        for name, layer in figure.layers.items():
            label, colour = getattr(layer, "label", ""), getattr(layer, "color", "")
            if colour.startswith("#") and len(colour) == 7 and (label or bare):
                for ground in GROUNDS:
                    assert reads(layer, ground), (figure.name, name, colour, ground)
