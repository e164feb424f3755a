"""What is left of an experiment once nobody looks at it any more: nothing."""

from __future__ import annotations

import gc
import weakref
from types import SimpleNamespace

import numpy as np
import pytest
from bokeh.document import Document

import optviz
from optviz import SGD, HyperparameterMap, Objective, Race, SurfaceDescent, surfaces
from optviz.experiments.surface_descent import REACHED
from optviz.page import leavings

OWN = optviz.objective(lambda x, y: x**2 + 2 * y**2, label="a bowl of its own")
RULE, SURFACE = SGD(lr=0.05, momentum=0.5), surfaces.RotatedQuadratic()  # which outlive the experiments


@pytest.mark.parametrize("make", [
    lambda: SurfaceDescent(objective="Himmelblau", basins=REACHED),
    lambda: SurfaceDescent(objective=OWN, optimizer=RULE, basins=REACHED),
    lambda: SurfaceDescent(objective=SURFACE, optimizer=RULE),
    lambda: HyperparameterMap(objective=SURFACE, optimizer=RULE),
    lambda: Race(trials=3, objective=SURFACE),
], ids=["by name", "of a user", "shared", "map", "race"])  # fmt: skip
def test_an_experiment_goes_when_it_is_let_go(make):
    made = make()
    member: Objective = made.objective
    if member.shape_names():
        setattr(member, member.shape_names()[0], 12.0)
    gone, rule = weakref.ref(made), weakref.ref(getattr(made, "optimizer", made))
    assert made.message == ""
    del made
    gc.collect()
    assert gone() is None and rule() in (None, RULE)


def test_a_race_keeps_what_it_shows_alone():
    made = Race(trials=60, steps=300)
    kept = [array for name in made.racers() for array in made.tuning[name].values() if isinstance(array, np.ndarray)]
    held = sum((array if array.base is None else array.base).nbytes for array in kept)
    assert held < 2 * sum(array.nbytes for array in kept)


def test_memory_is_given_back_some_time_after_a_visitor_has_gone(monkeypatch):
    asked, document = [], Document()
    monkeypatch.setattr(leavings.later, "act", lambda: asked.append("memory"))
    leavings.returned_after(document)
    assert not asked
    for leave in document.session_destroyed_callbacks:
        leave(SimpleNamespace())
    assert asked == ["memory"]
