"""What is lowest: stars for the minima, the lowest filled, and no word of a lowest loss where there is none."""

from __future__ import annotations

import re

import numpy as np
import pytest

from optviz import HyperparameterMap, NoisyDescent, Race, SurfaceDescent
from optviz.maps.basins import local_minima
from optviz.menus import surfaces
from optviz.objectives.minima import lowest_loss
from optviz.page.layout import wrapped
from optviz.pictures.captions import caption

FEW = {Race: {"trials": 2, "steps": 5}, NoisyDescent: {"runs": 2}}
CHOSEN = {NoisyDescent: "surface"}  # by another parameter than the others


def on(kind, label):
    made = kind(**FEW.get(kind, {}))
    setattr(made, CHOSEN.get(kind, "objective_name"), label)
    return made


def texts(made) -> str:
    """All that a page of an experiment says but its notes."""
    keys = [caption(figure, made.drawings[figure.name]) for figure in made.figures()]
    hovers = [drawing.hover for drawing in made.drawings.values()]
    return " ".join(wrapped(text, "any") for text in (*keys, *hovers, made.status(), *made.side().values()))


@pytest.mark.parametrize("label", [label for label, cls in surfaces().items() if not cls.is_curve])
def test_every_minimum_has_a_star_and_the_lowest_are_filled(label):
    objective = surfaces()[label]()
    local, lowest = local_minima(objective), lowest_loss(objective)
    for made in (on(Race, label), on(NoisyDescent, label)):
        drawing = made.drawings["surface"]
        filled, hollow = (drawing.layers[name] for name in ("minima", "local"))
        both = np.concatenate([np.column_stack([each["x"], each["y"]]) for each in (filled, hollow)])
        assert sorted(map(tuple, both)) == sorted(map(tuple, local["points"]))
        low = objective.value(filled["x"], filled["y"])
        assert lowest is None or (len(low) and np.allclose(low, lowest, rtol=1e-7, atol=1e-7))
        assert all(objective.value(hollow["x"], hollow["y"]) > (np.max(low) if len(low) else -np.inf))
        assert [bool(drawing.legend[key]) for key in ("minimum", "local minimum")] == [
            len(low) > 0,
            hollow["x"].size > 0,
        ]


@pytest.mark.parametrize("kind", [SurfaceDescent, HyperparameterMap, Race, NoisyDescent])
def test_nothing_is_above_the_lowest_where_there_is_none(kind):
    endless = [label for label, cls in surfaces().items() if lowest_loss(cls()) is None]
    assert endless == ["Monkey saddle", "Valley"]
    said = texts(on(kind, endless[0]))
    assert not re.search(r"lowest(?! (loss |value )?of the picture)|\bnever\b", said), said
    assert "of the picture" in said
    assert "of the picture" not in texts(on(kind, "Himmelblau"))


def test_runs_that_fall_without_end_leave_and_others_diverge():
    made = NoisyDescent(surface="Monkey saddle", lr=0.05, runs=4)
    assert made.found["first"]["diverged"] == made.found["first"]["fell"] == 4
    assert made.status() == "<b>SGD: 4 of 4 runs left the surface</b>, which falls without end."
    assert made.side()["table"].count(">left<") == 3 and "diverged" not in made.side()["table"]
    made.lr = 1e-4
    assert (
        made.status().startswith("In the last quarter SGD is at a loss of <b>") and "mean loss" in made.side()["table"]
    )
    made.param.update(surface="Sphere", lr=1e200)
    assert made.found["first"]["fell"] == 0 and "4 of 4 runs diverged" in made.status()
