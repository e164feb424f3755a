"""What CONTRIBUTING.md says of adding a rule, a surface, a loss or an experiment: its files are all there is to add."""

from __future__ import annotations

import json
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
NAMES = ("cautious", "trough", "pseudo_huber", "bouncing")
SCRIPTS = {
    "cautious": (ROOT / "apps" / "surface_descent.py").read_text(),
    "trough": (ROOT / "apps" / "surface_descent.py").read_text(),
    "pseudo_huber": (ROOT / "apps" / "loss_comparison.py").read_text(),
    "bouncing": FILES["app.py"],
}
CHECKS: dict[str, str] = {}  # by the addition's name, what holds in a process that has imported it
# for each addition: the title of the page that its app serves, the entries of its menus, its script, and
# what its checks say
PROVE = f"""
import json, re, sys, traceback
sys.path.insert(0, ".")
import {", ".join(NAMES)}
import requests

def walked(part):
    if isinstance(part, dict):
        yield part
    for inner in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        yield from walked(inner)

said = {{}}
for name, checks in json.load(sys.stdin).items():
    text = requests.get(f"{{sys.argv[1]}}/{{name}}_app", timeout=60).text
    address = re.findall('src="(optviz-files/[^"]*)"', text)[1]  # after the libraries'
    script = requests.get(f"{{sys.argv[1]}}/{{address}}", timeout=60).text
    models = json.JSONDecoder().raw_decode(script.rpartition("start(experiment, spec, sharing, ")[2])[0]
    found = [model["attributes"] for model in walked(models) if "options" in model.get("attributes", ())]
    labels = lambda options: [entry if isinstance(entry, str) else entry[1] for entry in options]
    menus = {{each["title"]: labels(each["options"]) for each in found if "title" in each}}
    try:
        exec(checks, {{"title": re.findall("<h1>(.*?)</h1>", text)[0], "menus": menus, "script": script}})
    except Exception:
        said[name] = traceback.format_exc()
print(json.dumps(said))
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """The files of all additions and an app script for each, which imports them first."""
    made = tmp_path_factory.mktemp("added")
    for name in NAMES:
        (made / f"{name}.py").write_text(FILES[f"{name}.py"])
        (made / f"{name}_app.py").write_text(f"import {', '.join(NAMES)}\n{SCRIPTS[name]}")
    return made


@pytest.fixture(scope="module")
def wrong(folder) -> dict[str, str]:
    """What does not hold of an addition, by its name: one server and one process that look at them all."""
    with serve([folder / f"{name}_app.py" for name in NAMES], log=folder / "server.log") as url:
        return json.loads(ran(folder, [sys.executable, "-c", PROVE, url], json.dumps(CHECKS)))


def ran(folder: Path, command: list[str], given: str = "") -> str:
    found = subprocess.run(command, input=given, capture_output=True, text=True, cwd=folder,
                           env={**os.environ, "PYTHONPATH": str(ROOT)})  # fmt: skip
    assert found.returncode == 0, found.stderr
    return found.stdout


def test_no_addition_needs_another():
    for name in NAMES:
        others = [each for each in NAMES if each != name]
        assert not re.search(rf"\b({'|'.join(others)})\b", FILES[f"{name}.py"]), name


CHECKS["cautious"] = """
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
assert "Cautious" in script and "&#950;" in script
"""


def test_a_rule_is_in_menus_formulas_maps_and_pages(wrong):
    assert "cautious" not in wrong, wrong["cautious"]


CHECKS["trough"] = """
import optviz
from optviz.menus import surfaces
assert "Trough" in menus["Surface"] and [*surfaces()][-1] == "Trough"
made = optviz.HyperparameterMap(objective="trough", across="lr", up="width")
assert "&#969;" in optviz.formulas.objective_mathml(made.objective)
assert made.axes[1].log and [round(10**end, 9) for end in (made.axes[1].least, made.axes[1].most)] == [0.2, 8]
for kind in (optviz.Race, optviz.SurfaceDescent):
    assert "Trough" in kind.param.objective_name.objects
assert "Trough" in optviz.NoisyDescent.param.surface.objects
from optviz.export.page import program
page = program(made)
assert "Trough" in page and "&#969;" in page and "'width': [0.2, 8.0, true]" in page.replace('"', "'")
"""


def test_a_surface_is_in_menus_formulas_maps_and_pages(wrong):
    assert "trough" not in wrong, wrong["trough"]


CHECKS["pseudo_huber"] = """
import optviz
assert "Pseudo-Huber" in menus["Loss to dissect"]
made = optviz.LossComparison(dissected="pseudo_huber")
assert "pseudo_huber" in made.drawings and len(made.landscapes) == 5 and "Pseudo-Huber <b>" in made.status()
assert "&#916;" in optviz.formulas.objective_mathml(made.objectives[-1])
assert "Pseudo-Huber" in script and "pseudo_huber" in script
"""


def test_a_loss_is_among_the_losses_on_pages_too(wrong):
    assert "pseudo_huber" not in wrong, wrong["pseudo_huber"]


CHECKS["bouncing"] = """
from optviz.catalogue import cards, experiments
from bouncing import Bouncing
assert experiments()["bouncing"] is Bouncing and Bouncing.title in cards()
assert title == Bouncing.title and menus == {}
"""


def test_an_experiment_has_its_app_its_page_and_its_place_in_the_list(wrong, folder):
    assert "bouncing" not in wrong, wrong["bouncing"]
    page = ["export", "bouncing", "--param", "rate=1.9", "-o", "page.html"]
    calls = "; ".join(f"assert not main(['--load', 'bouncing.py', *{each}])" for each in (["list"], page))
    assert "\nbouncing  " in ran(folder, [sys.executable, "-c", f"from optviz.command import main; {calls}"])
    assert "Bouncing in a parabola" in (folder / "page.html").read_text("utf-8")


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
