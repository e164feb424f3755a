"""The exported map computes Python's numbers in the browser."""

from __future__ import annotations

import numpy as np
import pytest

from optviz import HyperparameterMap

READ = """() => Object.fromEntries(["loss", "first", "diverged", "arrived"].map((name) =>
  [name, Array.from(optviz.experiment.results.map[name].data, String)]))"""
pytestmark = [pytest.mark.browser]


def test_the_page_maps_as_python_does(page, tmp_path):
    path = tmp_path / "map.html"
    HyperparameterMap().save(path)
    page.goto(path.as_uri())
    page.wait_for_function("window.optviz?.experiment?.results?.map")
    for scene in ("Learning rate and momentum", "Fractal boundary of a tanh net"):
        page.evaluate("scene => optviz.experiment.change({scene})", scene)
        found = page.evaluate(READ)
        ours = HyperparameterMap(scene=scene).results["map"]
        chaotic = scene.startswith("Fractal")  # there a last digit of tanh may decide where a run goes
        for name, values in found.items():
            theirs = np.array(values, dtype=float)
            near = np.isclose(theirs, ours[name].ravel(), rtol=1e-9, atol=1e-300, equal_nan=True)
            assert near.mean() > (0.8 if chaotic else 0.9999), (scene, name)
