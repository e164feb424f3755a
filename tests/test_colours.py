"""Colours: inks that read on a light and on a dark page, series that stay apart without red or green cones."""

from __future__ import annotations

from functools import cache
from itertools import combinations

import pytest
from coloraide import Color

from optviz.app import experiments
from optviz.experiments.race import COLOURS, STYLES
from optviz.pictures.layers import EIGHT, GREY, GROUNDS

METHODS = ("machado", "vienot", "brettel")  # how the published models differ is how far each may be off
EYES = {"every cone": [None], **{eye: [(eye, method) for method in METHODS] for eye in ("protan", "deutan")}}


@cache
def seen(colour: str, eye: tuple[str, str] | None) -> Color:
    """What an eye makes of a colour."""
    kind, method = eye or ("", "")
    return Color(colour).filter(kind, 1, method=method) if eye else Color(colour)


@cache
def apart(one: str, two: str) -> float:
    """CIEDE2000 between two colours, for the eye that sees least of it."""
    eyes = [eye for each in EYES.values() for eye in each]
    return min(seen(one, eye).delta_e(seen(two, eye), method="2000") for eye in eyes)


def test_the_yardsticks_are_right():
    assert Color("#777777").contrast("white") == pytest.approx(4.48, abs=0.01)  # WCAG's own example
    blue, bluer = (Color("lab-d65", lab) for lab in ([50, 2.6772, -79.7751], [50, 0, -82.7485]))
    assert blue.delta_e(bluer, method="2000", space="lab-d65") == pytest.approx(2.0425, abs=1e-4)  # Sharma et al. 2005


@pytest.mark.parametrize("eye", EYES)
def test_series_stay_apart_for_every_eye(eye):
    for each in EYES[eye]:
        for one, two in combinations((*EIGHT, GREY), 2):
            assert seen(one, each).delta_e(seen(two, each), method="2000") >= 10, (one, two)


def test_racers_of_one_colour_family_differ_in_their_dashes():
    assert set(COLOURS.values()) == set(EIGHT)
    for one, two in combinations(COLOURS, 2):
        assert STYLES[one] != STYLES[two] or apart(COLOURS[one], COLOURS[two]) > 15, (one, two)


def looks(figure) -> dict[str, tuple[str, str]]:
    """The colour of each layer that has one of its own, and what it is drawn with: a dash or a mark."""
    named = {name: (getattr(layer, "color", ""), getattr(layer, "symbol", "")) for name, layer in figure.layers.items()}
    return {name: look for name, look in named.items() if look[0].startswith("#") and len(look[0]) == 7}


@pytest.mark.parametrize("kind", experiments().values(), ids=experiments())
def test_what_stands_in_one_figure_differs_in_colour_or_in_shape_for_every_eye(kind):
    for figure in kind().figures():
        for (one, (ink, shape)), (two, (other, drawn)) in combinations(looks(figure).items(), 2):
            assert ink == other or shape != drawn or apart(ink, other) >= 10, (figure.name, one, two)


def reads(layer, ground: str) -> bool:
    """Whether a layer, or what outlines it, stands out from a ground."""
    colours = [layer.color] if layer.edge == "none" else [layer.color, layer.edge]
    return max(Color(colour).contrast(ground) for colour in colours) >= 3


@pytest.mark.parametrize("kind", experiments().values(), ids=experiments())
def test_keys_and_lines_read_on_both_grounds(kind):
    for figure in kind().figures():
        bare = "image" not in figure.layers
        for name, layer in figure.layers.items():
            label, colour = getattr(layer, "label", ""), getattr(layer, "color", "")
            if colour.startswith("#") and len(colour) == 7 and (label or bare):
                for ground in GROUNDS:
                    assert reads(layer, ground), (figure.name, name, colour, ground)
