"""Links, texts and a page that version 0.1.0 wrote in November 2026 open in this one."""

import gzip
import json
from pathlib import Path
from urllib.parse import parse_qsl

import numpy as np
import pytest
from browser import drag_slider, source_names, wait_idle
from pages import assert_shows
from test_sharing import from_address

import optviz
from optviz import Experiment, SurfaceDescent
from optviz.export.page import libraries
from optviz.export.skeleton import inline
from optviz.state import sharing

DATA = Path(__file__).parent / "data"
STATES = json.loads((DATA / "states_0_1.json").read_text())


@pytest.mark.parametrize("kept", STATES, ids=lambda kept: f"{kept['experiment']}-{len(kept['query'])}")
def test_a_link_and_a_text_open(kept):
    written = json.loads(kept["json"])
    read = Experiment.from_json(kept["json"])
    linked, refused = from_address(getattr(optviz, kept["experiment"]), kept["query"])
    assert refused == [] and read.message == linked.message == ""
    for opened in (read, linked):
        state = sharing.state_of(opened)
        assert {name: state[name] for name in written["values"]} == written["values"]


@pytest.mark.browser
def test_a_page_opens_and_its_link_opens_here(page, tmp_path):
    text = gzip.decompress((DATA / "page_0_1.html.gz").read_bytes()).decode()
    assert text.count("<!-- libraries -->") == 1
    (tmp_path / "page.html").write_text(text.replace("<!-- libraries -->", "".join(map(inline, libraries()))))
    page.goto((tmp_path / "page.html").as_uri())
    page.wait_for_function("window.optviz")
    wait_idle(page)
    experiment = SurfaceDescent(optimizer="adam", objective="Rosenbrock", steps=120)
    assert_shows_what_it_has(page, experiment)
    drag_slider(page, "Steps", 0.3)
    wait_idle(page)
    linked, refused = from_address(SurfaceDescent, page.evaluate("() => optviz.address.query()"))
    assert refused == [] and linked.steps < 120
    experiment.steps = linked.steps
    assert dict(parse_qsl(sharing.query(linked))) == dict(parse_qsl(sharing.query(experiment)))
    assert_shows_what_it_has(page, linked)


def assert_shows_what_it_has(page, experiment) -> None:
    """The layers that the page was saved with; those that came later are empty, and no picture has to be missed."""
    there = set(source_names(page))
    for name, drawing in experiment.drawings.items():
        later = [layer for layer in drawing.layers if f"{name}.{layer}" not in there]
        if len(later) < len(drawing.layers):
            assert all(np.size(column) == 0 for layer in later for column in drawing.layers[layer].values()), later
        for layer in later:
            del drawing.layers[layer]
    assert_shows(page, experiment)
