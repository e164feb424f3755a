"""What CONTRIBUTING.md says of adding a rule, a surface, a loss or an experiment: its files are all there is to add."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import serve

import optviz
from optviz.catalogue import experiments
from optviz.menus import rules, surfaces
from optviz.page.factors import LogSlider

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "optviz"
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text()
FILES = dict(re.findall(r"```python\n# (\S+)\n(.*?)```", CONTRIBUTING, re.DOTALL))
APPS = {
    "cautious": "import cautious\n" + (ROOT / "apps" / "surface_descent.py").read_text(),
    "trough": "import trough\n" + (ROOT / "apps" / "surface_descent.py").read_text(),
    "pseudo_huber": "import pseudo_huber\n" + (ROOT / "apps" / "loss_comparison.py").read_text(),
    "bouncing": FILES["app.py"],
}
# the title of the page that the app serves, and the entries of its menus
SERVED = """
import panel, sys
from bokeh.client import pull_session
from bokeh.models import Select
page = pull_session(url=f"{sys.argv[1]}/app").document
found = {menu.title: menu.options for root in page.roots for menu in root.select({"type": Select})}
menus = {title: [entry if isinstance(entry, str) else entry[1] for entry in found[title]] for title in found}
sys.path.insert(0, ".")
"""


def proved(folder: Path, name: str, checks: str) -> str:
    """What a process of its own prints that has the file and the app script of one addition, once its checks hold."""
    (folder / f"{name}.py").write_text(FILES[f"{name}.py"])
    (folder / "app.py").write_text(APPS[name])
    with serve([folder / "app.py"], log=folder / "server.log") as url:
        return ran(folder, [sys.executable, "-c", SERVED + f"import {name}\n" + checks, url])


def ran(folder: Path, command: list[str]) -> str:
    found = subprocess.run(command, capture_output=True, text=True, cwd=folder,
                           env={**os.environ, "PYTHONPATH": str(ROOT)})  # fmt: skip
    assert found.returncode == 0, found.stderr
    return found.stdout


def test_a_rule_is_in_menus_formulas_maps_and_pages(tmp_path):
    proved(tmp_path, "cautious", """
import optviz
from optviz.maps.axes import axis_of
from optviz.menus import rules
assert "Cautious" in menus["Optimizer"] and [*rules()][-1] == "Cautious"
made = optviz.SurfaceDescent(optimizer="cautious", steps=20)
formula = optviz.formulas.rule_mathml(made.optimizer)
assert "&#950;" in formula and "&#951;" in formula  # its own zeta, and the eta of every learning rate
found = optviz.HyperparameterMap(optimizer="cautious", across="lr", up="caution")
assert (found.axes[1].log, 10**found.axes[1].least, round(10**found.axes[1].most)) == (True, 0.01, 50)
assert "Caution" in found.param.up.names
assert "Cautious" in optviz.NoisyDescent.param.rule.objects and not optviz.NoisyDescent(second="Cautious").message
page = made.html()
assert "Cautious" in page and "&#950;" in page
""")  # fmt: skip


def test_a_surface_is_in_menus_formulas_maps_and_pages(tmp_path):
    proved(tmp_path, "trough", """
import optviz
from optviz.menus import surfaces
assert "Trough" in menus["Surface"] and [*surfaces()][-1] == "Trough"
made = optviz.HyperparameterMap(objective="trough", across="lr", up="width")
assert "&#969;" in optviz.formulas.objective_mathml(made.objective)
assert made.axes[1].log and [round(10**end, 9) for end in (made.axes[1].least, made.axes[1].most)] == [0.2, 8]
for kind in (optviz.Race, optviz.SurfaceDescent):
    assert "Trough" in kind.param.objective_name.objects
assert "Trough" in optviz.NoisyDescent.param.surface.objects
page = made.html()
assert "Trough" in page and "&#969;" in page and "'width': [0.2, 8.0, true]" in page.replace('"', "'")
""")  # fmt: skip


def test_a_loss_is_among_the_losses_on_pages_too(tmp_path):
    proved(tmp_path, "pseudo_huber", """
import optviz
assert "Pseudo-Huber" in menus["Loss to dissect"]
made = optviz.LossComparison(dissected="pseudo_huber")
assert "pseudo_huber" in made.drawings and len(made.landscapes) == 5 and "Pseudo-Huber <b>" in made.status()
assert "&#916;" in optviz.formulas.objective_mathml(made.objectives[-1])
page = made.html()
assert "Pseudo-Huber" in page and "pseudo_huber" in page
""")  # fmt: skip


def test_an_experiment_has_its_app_its_page_and_its_place_in_the_list(tmp_path):
    proved(tmp_path, "bouncing", """
from optviz.catalogue import cards, experiments
from bouncing import Bouncing
assert experiments()["bouncing"] is Bouncing and Bouncing.title in cards()
assert page.title == Bouncing.title and menus == {}
""")  # fmt: skip
    command = "from optviz.command import main; import sys; sys.exit(main(sys.argv[1:]))"
    optviz_command = [sys.executable, "-c", command, "--load", "bouncing.py"]
    assert "\nbouncing  " in ran(tmp_path, [*optviz_command, "list"])
    ran(tmp_path, [*optviz_command, "export", "bouncing", "--param", "rate=1.9", "-o", "page.html"])
    assert "Bouncing in a parabola" in (tmp_path / "page.html").read_text("utf-8")


WALKS = {"canvas": {}, "map's cell": {"across": "momentum", "up": "start x"}}


@pytest.mark.parametrize("end", WALKS)
def test_the_files_of_a_walk_are_met_in_its_order(end):
    text = re.split(rf"## `lr` from the slider to (?:the|a) {end}\n", CONTRIBUTING)[1].split("\n## ")[0]
    told = list(dict.fromkeys(name for name in re.findall(r"`([a-z_/]+\.py)`", text)))
    made = optviz.HyperparameterMap(**WALKS[end]) if WALKS[end] else optviz.SurfaceDescent()
    (slider,) = [each for each in made.page().layout.select(LogSlider) if each.name == "Learning rate"]
    slider._process_events({"value": -1.5})
    met: dict[str, None] = {}
    sys.setprofile(lambda frame, event, _: met.setdefault(frame.f_code.co_filename))
    try:
        slider._process_events({"value": -1.7})
    finally:
        sys.setprofile(None)
    entered = [Path(name).relative_to(PACKAGE).as_posix() for name in met if Path(name).is_relative_to(PACKAGE)]
    assert made.optimizer.lr == 0.02 and [name for name in entered if name in told] == told


def test_every_wing_is_on_the_map():
    table = "\n".join(re.findall(r"^\| `.*$", CONTRIBUTING, re.MULTILINE))
    there = {f"{path.name}/" if path.is_dir() else path.name for path in PACKAGE.iterdir() if path.name[0] not in "_."}
    assert set(re.findall(r"`([a-z_]+(?:/|\.py))`", table)) == there - {"py.typed"}


def test_what_does_not_ask_for_it_is_listed_nowhere():
    class Private(optviz.SGD):
        """A rule of this test's alone."""

    class Listed(optviz.SGD):
        """One that asks for it."""

        listed = True

    class Beside(Listed):
        """One that does not ask for it itself."""

    class Hidden(optviz.Experiment):
        """An experiment of this test's alone."""

    assert [*rules()][-1] == "Listed" and not {"Private", "Beside"} & {*rules()}
    assert Hidden not in experiments().values() and len(surfaces()) == len({*surfaces().values()})
    Listed.listed = False
    assert "Listed" not in rules()


@pytest.mark.parametrize("path", ["missing.py", "notes.txt"])
def test_what_cannot_be_loaded_is_refused_in_a_sentence(path, tmp_path, monkeypatch, capsys):
    from optviz.command import main

    monkeypatch.chdir(tmp_path)
    Path("notes.txt").write_text("")
    assert main(["--load", path, "list"]) == 2
    assert capsys.readouterr().err == f"optviz: optviz needs a file of Python to load, not '{path}'.\n"
