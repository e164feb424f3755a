"""The numerics import without the views."""

import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "optviz"
ENGINE = ["", ".blocks", ".cluster", ".compiler", ".descent", ".edges", ".formulas", ".functions",
          ".given_schedules", ".gradient_check", ".lanes", ".linear", ".losses", ".map_axes", ".maps", ".mathml",
          ".messages", ".minima", ".minima_search", ".noise", ".objectives", ".optimizers", ".outlook", ".programs",
          ".ranges", ".rows", ".rules", ".run_ends", ".scan", ".schedules", ".sharpness", ".stacked", ".sums",
          ".surfaces", ".sweep", ".theory", ".torch_closure", ".torch_data", ".torch_lanes", ".torch_objectives",
          ".torch_optimizer", ".torch_schedules", ".torch_seeds", ".traceable", ".tracing", ".trajectory",
          ".verdicts"]  # fmt: skip
VIEWS = ["panel", "holoviews", "bokeh", "matplotlib"]


def loaded(statement: str) -> set[str]:
    """The top-level packages in memory after a statement, in a process of its own."""
    code = f"{statement}; import sys; print(*{{name.split('.')[0] for name in sys.modules}})"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True,
                         cwd=PACKAGE.parent)  # fmt: skip
    return set(out.stdout.split())


def test_the_engine_imports_no_view():
    for module in ENGINE[1:]:
        assert (PACKAGE / f"{module[1:]}.py").exists(), module
    found = loaded("; ".join(f"import optviz{module}" for module in ENGINE))
    assert "optviz" in found and not found & set(VIEWS)


def test_the_package_alone_imports_neither_torch_nor_views():
    found = loaded("import optviz; optviz.descend(optviz.objectives.surfaces.Quadratic(), optviz.SGD(), (1, 1), 5)")
    assert not found & {*VIEWS, "torch"}


@pytest.mark.parametrize("name", ENGINE[1:])
def test_no_engine_module_names_a_view(name):
    text = (PACKAGE / f"{name[1:]}.py").read_text()
    assert not [view for view in VIEWS if f"import {view}" in text or f"from {view}" in text]
