"""The notebooks: stripped, run as they stand, live in a kernel and without one."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace

import panel as pn
import pytest
from bokeh.document import Document
from bokeh.document.models import DocumentModelManager
from bokeh.models import ImportedStyleSheet, Slider, UIElement
from browser import wait_idle
from conftest import ROOT, watched_page
from pages import assert_shows, drag_every_slider
from panel.io.resources import set_resource_mode
from pyviz_comms import Comm

from optviz import SingleParameter
from optviz.catalogue import experiments
from optviz.lessons.memory_of_noise import MEMORY_OF_NOISE

SMALLEST = ROOT / "notebooks" / "single_parameter.ipynb"
# the smallest comes first: its import loads the scripts that the converted page needs
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"), key=lambda path: (path != SMALLEST, path))
# frozen, or the collector would go through every figure drawn so far again and again
FORGET = "import gc\ngc.freeze()\n%reset -f"
PYTHONPATH = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
REACTIVE, LOADER = "application/vnd.holoviews_exec.v0+json", "application/vnd.holoviews_load.v0+json"
# what nbconvert's template asks for, and the style sheets that HoloViews names beside its figures
NOT_OURS = re.compile(r"https://(cdnjs\.cloudflare\.com/.*|cdn\.holoviz\.org/panel/.*\.css(\?.*)?)")


@cache
def nbformat():
    """Imported where it is needed: it reads grammars for 4 seconds, and every process collects every test."""
    import nbformat

    return nbformat


def read(path: Path):
    return nbformat().read(path, as_version=4)


@cache
def run_all() -> dict[Path, list]:
    """The cells of every notebook with their outputs, run in one kernel, which forgets its names between them.

    In a thread: Playwright leaves a loop that is marked as running in the main one.
    """
    from nbclient import NotebookClient

    parts = {path: read(path).cells for path in NOTEBOOKS}
    cells = [cell for part in parts.values() for cell in [*part, nbformat().v4.new_code_cell(FORGET)]]
    for number, cell in enumerate(cells):
        cell.id = f"cell-{number}"
    everything = nbformat().v4.new_notebook(cells=cells)
    with TemporaryDirectory() as folder, ThreadPoolExecutor(1) as thread:
        resources = {"metadata": {"path": folder}}
        client = NotebookClient(everything, timeout=120, allow_errors=True, resources=resources)
        run = client.async_execute(env={**os.environ, "PYTHONPATH": PYTHONPATH})
        thread.submit(asyncio.run, run).result()
    return parts


def executed(path: Path):
    """The notebook with its outputs."""
    notebook = read(path)
    notebook.cells = run_all()[path]
    return notebook


def code(notebook) -> list:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def last_line(cell) -> str:
    return cell.source.splitlines()[-1]


# as they are in the repository


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_a_notebook_holds_its_text_and_nothing_else(path):
    notebook = json.loads(path.read_text("utf-8"))
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    assert set(notebook["metadata"]) == {"kernelspec", "language_info"}
    assert notebook["metadata"]["kernelspec"]["name"] == "python3"
    assert notebook["metadata"]["language_info"] == {"name": "python"}
    assert 8 <= len(notebook["cells"]) <= 14
    for cell in notebook["cells"]:
        assert cell["metadata"] == {}
        assert cell.get("outputs", []) == [] and cell.get("execution_count") is None
    ids = [cell["id"] for cell in notebook["cells"]]
    assert len(set(ids)) == len(ids)
    nbformat().validate(nbformat().from_dict(notebook))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_a_notebook_shows_an_experiment_in_every_way(path):
    cells = code(read(path))
    assert "experiment" in map(last_line, cells)
    assert any("views[" in cell.source and re.search(r"\] [+*] ", cell.source) for cell in cells)
    assert "experiment.live()" in map(last_line, cells)


def test_every_experiment_has_its_notebook():
    texts = [path.read_text("utf-8") for path in NOTEBOOKS]
    names = [kind.__name__ for kind in experiments().values()]
    assert [name for name in names if not any(f"experiment = {name}(" in text for text in texts)] == []


# run


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_a_notebook_runs_in_silence_and_shows_what_it_says(path):
    for cell in code(executed(path)):
        outputs, last = cell.outputs, last_line(cell)
        text = "".join(output.text for output in outputs if output.output_type == "stream")
        assert not [o for o in outputs if o.output_type == "error" or o.get("name") == "stderr"], cell.source
        assert "Warning" not in text, text
        shown = [output.data for output in outputs if output.output_type == "execute_result"]
        if last == "experiment":
            assert REACTIVE in shown[0] and '"Slider"' in shown[0]["text/html"]
        elif "views[" in cell.source:
            assert REACTIVE in shown[0] and '"Figure"' in shown[0]["text/html"]
        elif last.startswith("experiment.live("):
            assert shown[0]["text/html"].startswith("<iframe srcdoc=")


def test_what_is_shown_first_brings_the_scripts_along_once():
    assert all("from optviz import" in code(read(path))[0].source for path in NOTEBOOKS)
    loaders = [
        (number, output.data[LOADER])
        for number, cell in enumerate(cell for path in NOTEBOOKS for cell in code(executed(path)))
        for output in cell.outputs
        if LOADER in output.get("data", {})
    ]
    big = [(number, script) for number, script in loaders if len(script) > 1e6]
    assert [number for number, _ in big] == [1]  # not where optviz is imported
    assert re.findall(r"const (?:js|css)_urls = (.*);", big[0][1]) == ["[]", "[]"]


def test_a_knob_moved_in_a_notebook_sends_back_what_it_changes(monkeypatch):
    experiment, document, comm = SingleParameter(), Document(), Comm()
    comm._comm, sent = True, []  # as if open
    monkeypatch.setattr("panel.io.notebook.send", lambda comm, message: sent.append(message))
    root = experiment.page().layout._render_model(document, comm)
    slider = root.select_one({"type": Slider, "title": "Momentum"})
    sent.clear()
    document.hold()  # as Panel does while it takes in what the notebook says
    slider.value = 0.4
    document.unhold()
    assert experiment.momentum == 0.4
    (message,) = sent
    source = root.select_one({"name": "steps.updates"})
    changed = {event["model"]["id"] for event in message.content["events"]}
    assert source.id in changed


def test_a_pages_models_are_not_collected_for_each_style_sheet(monkeypatch):
    collected, recompute = [], DocumentModelManager.recompute
    monkeypatch.setattr(DocumentModelManager, "recompute", lambda models: collected.append(recompute(models)))
    with set_resource_mode("inline"), pn.config.set(inline=True):
        root = SingleParameter().page().layout._render_model(Document(), Comm())
    sheets = [sheet for part in root.select({"type": UIElement}) for sheet in part.stylesheets]
    assert len(sheets) > 50 and not any(isinstance(sheet, ImportedStyleSheet) for sheet in sheets)
    assert len(collected) < 20


def test_an_editor_that_shows_widgets_gets_one_that_follows(monkeypatch):
    """VS Code and its kin: Panel sees them by their environment and hands out a widget of jupyter_bokeh."""
    from jupyter_bokeh.widgets import BokehModel

    experiment, sent = SingleParameter(), []
    monkeypatch.setattr(BokehModel, "send", lambda widget, content, buffers=None: sent.append((widget, content)))
    with pn.config.set(comms="vscode"):
        data, _ = experiment._repr_mimebundle_()
    model = data["application/vnd.jupyter.widget-view+json"]["model_id"]
    sent.clear()
    experiment.momentum = 0.4
    assert {widget.model_id for widget, _ in sent} == {model}
    patches = [content["payload"] for _, content in sent if '"events"' in content.get("payload", "")]
    changed = {event["model"]["id"] for patch in patches for event in json.loads(patch)["events"]}
    source = sent[0][0]._model.select_one({"name": "steps.updates"})
    assert source.id in changed


# without a kernel


@pytest.fixture(scope="module")
def converted(tmp_path_factory) -> Path:
    """The smallest notebook, run and converted as a reader would."""
    path = tmp_path_factory.mktemp("converted") / SMALLEST.name
    nbformat().write(executed(SMALLEST), path)
    command = [sys.executable, "-m", "nbconvert", "--to", "html", "--template", "lab", str(path)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return path.with_suffix(".html")


@pytest.mark.browser
def test_a_converted_notebook_goes_on_without_kernel_and_network(browser, converted):
    with watched_page(browser) as page:
        page.context.set_offline(True)
        asked = []
        page.on("request", lambda request: asked.append((request.frame, request.url)))
        page.goto(converted.as_uri(), wait_until="domcontentloaded")
        page.wait_for_function("() => window.Bokeh && [...Bokeh.index].length > 0")  # drawn, if not live
        frame, taught = page.frames[1:]
        frame.wait_for_function("window.optviz")
        taught.wait_for_function("window.optviz?.teacher?.place === 1")  # at the lesson's second step
        assert taught.locator("#lesson h2").inner_text() == MEMORY_OF_NOISE.steps[1].title
        taught.get_by_role("button", name="Next").click()
        assert taught.evaluate("optviz.teacher.place") == 2
        live = SimpleNamespace(mouse=page.mouse, locator=frame.locator, evaluate=frame.evaluate,
                               wait_for_function=frame.wait_for_function)  # fmt: skip
        wait_idle(live)
        experiment = SingleParameter()
        assert_shows(live, experiment)
        drag_every_slider(live, experiment, ["Momentum", "Clip"])
        away = [(where, url) for where, url in asked if not url.startswith(("data:", "blob:", converted.as_uri()))]
        assert all(where == page.main_frame and NOT_OURS.fullmatch(url) for where, url in away), away
        assert not [said for said in page.complaints if said.startswith("exception")], page.complaints
        page.complaints.clear()  # that nothing answered there
