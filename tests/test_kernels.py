"""Kernels of sweeps: compiled aside, kept where nobody else may write, and never believed when damaged."""

from __future__ import annotations

import itertools
import os
import time
from functools import cache

import numpy as np
import param
import platformdirs
import pytest

import optviz
from optviz import SGD, Adam, Hyperparameter, Rule, disk, surfaces, sweep
from optviz.rules.averaging import ScheduleFreeAdamW
from optviz.rules.coupled import SOAP
from optviz.rules.wrappers import sam
from optviz.sweeps import kernel_walk, kernels, numpy_walk
from optviz.sweeps.kernel_text import Text
from optviz.sweeps.step_inputs import Inputs, powers_of_axes
from optviz.sweeps.sweep import _grid

AXES = {"lr": np.linspace(0.001, 1.0, 40), "momentum": np.linspace(0.0, 0.99, 30)}
RULES = [r for r in param.concrete_descendents(Rule).values() if r.__module__ == "optviz.rules.optimizers"]
SURFACES = [
    s for s in param.concrete_descendents(optviz.Objective).values() if s.__module__ == "optviz.objectives.surfaces"
]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty folder for kernels, in a process that has loaded none."""
    monkeypatch.setattr(platformdirs, "user_cache_path", lambda name: tmp_path / name)
    for known in ("_ADDRESSES", "_GIVEN_UP", "_BEGUN"):
        monkeypatch.setattr(kernels, known, type(getattr(kernels, known))())
    monkeypatch.setattr(kernel_walk, "WORTH", 0.0)
    return tmp_path / "optviz" / "kernels"


BEALE = surfaces.Beale()


def found(objective=BEALE):
    return sweep(objective, SGD(), (-1.0, 0.5), 60, AXES, measure=["loss", "diverged", "steps_to"])


def test_lanes_go_on_by_numpy_until_the_kernel_is_there(folder, monkeypatch):
    monkeypatch.setenv(kernels.VARIABLE, "off")
    plain = found()
    monkeypatch.setenv(kernels.VARIABLE, "aside")
    began = time.monotonic()
    assert found().identical(plain)
    while len(kernels._ADDRESSES) < 2:
        assert time.monotonic() < began + 120 and not kernels._GIVEN_UP
        time.sleep(0.1)
    monkeypatch.setattr(numpy_walk, "Block", None)  # which no lane needs any more
    assert found().identical(plain)
    assert sorted(p.name for p in folder.iterdir()) == sorted(kernels._ADDRESSES)


def test_what_is_kept_is_loaded_and_what_is_damaged_is_made_anew(folder, monkeypatch):
    monkeypatch.setenv(kernels.VARIABLE, "now")
    plain = found()
    files = {path: path.read_bytes() for path in folder.iterdir()}
    assert len(files) == 2
    made = []
    build = cache(kernels.built)
    monkeypatch.setattr(kernels, "built", lambda source: (made.append(source), build(source))[1])

    kernels._ADDRESSES.clear()
    assert found().identical(plain) and not made
    for damage in (lambda whole: b"", lambda whole: whole[:-9], lambda whole: whole[:-1] + b"?"):
        kernels._ADDRESSES.clear()
        made.clear()
        for path, whole in files.items():
            path.write_bytes(damage(whole))
        assert found().identical(plain) and len(made) == 2
        assert set(folder.iterdir()) == files.keys()
        assert all(kernels.kept(folder, path.name) for path in files), "whole again"


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="Windows keeps a user's folders from others")
def test_nothing_is_loaded_from_a_folder_that_others_may_write_to(folder, monkeypatch, tmp_path):
    folder.mkdir(parents=True)
    assert kernels.folder() is None or disk.is_private(folder)
    for mode in (0o770, 0o707, 0o722):
        folder.chmod(mode)
        assert kernels.folder() is None
    folder.chmod(0o700)
    assert kernels.folder() == folder
    monkeypatch.setattr(os, "getuid", lambda: folder.stat().st_uid + 1)
    assert kernels.folder() is None
    monkeypatch.undo()
    link = tmp_path / "link"
    link.symlink_to(folder)
    assert disk.is_private(folder) and not disk.is_private(link)


def test_a_text_that_cannot_be_compiled_leaves_the_lanes_to_numpy(folder, monkeypatch, caplog):
    monkeypatch.setenv(kernels.VARIABLE, "aside")
    monkeypatch.setattr(Text, "__init__", lambda self, *given: setattr(self, "source", "no python"))
    plain = found(surfaces.Booth())
    while kernels._BEGUN - kernels._GIVEN_UP - kernels._ADDRESSES.keys():
        time.sleep(0.1)
    assert len(kernels._GIVEN_UP) == 1 and "without a kernel" in caplog.text
    assert found(surfaces.Booth()).identical(plain)


class Ünusual(Rule):
    """Names that no programming language has, conditions between truths, and functions that numpy rounds its way."""

    lr = Hyperparameter(0.01, bounds=(0, None))
    memory = {"old g": 0.0, "∇²": 1.0, "count": 0.0}

    @staticmethod
    def update(h, memory, x, g, t, let, xp):
        both = (g > 0) & (memory.__dict__["old g"] > 0)
        let("old g", xp.where(both & (t > 2), xp.tanh(g), xp.maximum(g, -1.0)))
        bent = let("∇²", xp.exp(-xp.abs(g)) + xp.power(memory.__dict__["∇²"], 0.5))
        count = let("count", memory.count + 0.5**t)
        return let("step", -h.lr * g / bent * count * xp.floor(1.5 + xp.sin(x)) - xp.where(t > 3, 1e-4, 0.0))


def test_names_and_functions_of_any_kind_have_kernels(monkeypatch):
    axes = {"lr": np.geomspace(1e-3, 3.0, 37), "x": [-1.5, 0.2, 3.0]}
    for around in ({}, {"noise": 0.1}, {"clip_norm": 0.5}, {"schedule": lambda t: 0.9**t}):
        grids = []
        for mode in ("off", "now"):
            monkeypatch.setenv(kernels.VARIABLE, mode)
            grids.append(
                sweep(surfaces.Himmelblau(), Ünusual(), (0, 1), 90, axes, measure=["loss", "diverged"], **around)
            )
        assert grids[0].identical(grids[1]), around


@pytest.mark.parametrize("rule", [SOAP(every=3), ScheduleFreeAdamW(warmup=9), sam(Adam(), reach=0.3)])
def test_kernels_of_rules_that_look_elsewhere_or_work_together(rule, monkeypatch):
    grids = []
    for mode in ("off", "now"):
        monkeypatch.setenv(kernels.VARIABLE, mode)
        axes = {"lr": np.geomspace(1e-3, 3.0, 37), "seed": [0, 1]}
        grids.append(sweep(surfaces.Himmelblau(), rule, (0.3, 1.0), 70, axes, measure=["loss", "diverged"], noise=0.2))
    assert grids[0].identical(grids[1])


@pytest.mark.parametrize("objective", SURFACES, ids=lambda s: s.__name__)
def test_every_rule_has_a_kernel_on_every_surface(objective):
    for rule, timed in itertools.product(RULES, (False, True)):
        program = _grid(objective(), rule(), (0.3, 1.0), 5, {"lr": [0.1, 0.2]}, {"clip": 1.0}).program
        assert "def entry" in Text(Inputs(program, timed, frozenset())).source


def test_powers_of_an_axis_are_looked_up():
    grid = _grid(surfaces.Quadratic(), Adam(), (1, 1), 50, {"beta1": [0.5, 0.9], "lr": [0.1]}, {})
    powers = powers_of_axes(grid.program, grid.axes, 50)
    assert set(powers.values()) == {"beta1"}
    assert not powers_of_axes(grid.program, grid.axes, 10**6)
