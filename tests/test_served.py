"""Served pages that compute in the browser: what goes over the wire, and a server that goes and comes back."""

import json
import time

import pytest
import requests
from browser import drag_slider, slider, slider_value, wait_until
from conftest import serve, watched_page
from pages import assert_shows

from optviz import EdgeOfStability, HyperparameterMap, SingleParameter, SurfaceDescent
from optviz.catalogue import experiments
from optviz.served import File, packed, runs_in_browsers, scripts

HEARING = """
from pathlib import Path
from optviz import SurfaceDescent
from optviz.app import serve
visit = serve(SurfaceDescent)
if visit:
    visit.wire.on_change("text", lambda attr, old, new: Path({path!r}).write_text(visit.experiment.to_json()))
"""


def test_all_but_what_torch_trains_runs_in_browsers():
    assert {name for name, kind in experiments().items() if not runs_in_browsers(kind)} == {"edge_of_stability"}
    assert not runs_in_browsers(EdgeOfStability)


def test_with_a_cluster_the_server_computes_maps(monkeypatch):
    monkeypatch.setenv("OPTVIZ_SCHEDULER", "tcp://nobody:1")
    runs_in_browsers.cache_clear()
    try:
        assert not runs_in_browsers(HyperparameterMap) and runs_in_browsers(SingleParameter)
    finally:
        runs_in_browsers.cache_clear()


def test_what_python_alone_can_run_stays_with_python():
    class Own(SurfaceDescent):
        def status(self):
            with open("no page can") as file:
                return file.read() if self.steps < 0 else ""

    assert not runs_in_browsers(Own)


def test_a_file_has_another_address_once_it_has_another_content():
    first, same, other = (packed(text, "text/javascript", "a.js") for text in ("1", "1", "2"))
    assert first == same and first.address == same.address != other.address
    assert first.address.startswith("optviz-files/a.js?v=") and isinstance(first, File)


def test_scripts_are_kept_between_processes_and_hang_on_what_they_are_made_of(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    scripts.cache_clear()
    first = scripts(SingleParameter)[1]
    (kept,) = (tmp_path / "optviz" / "pages").glob("*.js")
    scripts.cache_clear()
    monkeypatch.setattr("optviz.served.program", lambda *_, **__: pytest.fail("printed again"))
    assert scripts(SingleParameter)[1] == first
    kept.write_bytes(kept.read_bytes()[:-1] + b"x")  # damaged: it is made anew
    scripts.cache_clear()
    monkeypatch.setattr("optviz.served.program", lambda *_, **__: "made anew")
    assert b"made anew" not in first.data and scripts(SingleParameter)[1] != first
    scripts.cache_clear()


@pytest.mark.browser
def test_a_page_is_light_and_its_files_are_kept(served):
    text = requests.get(f"{served}/surface_descent", timeout=60)
    total = len(text.content)
    for source in [part.split('"')[0] for part in text.text.split('<script src="')[1:]]:
        answer = requests.get(f"{served}/{source}", timeout=60, stream=True)
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert answer.headers["Content-Encoding"] == "gzip"
        total += len(answer.raw.read())
    assert 500_000 < total < 1_000_000
    plain = requests.get(f"{served}/{source}", timeout=60, headers={"Accept-Encoding": "identity"})
    assert "Content-Encoding" not in plain.headers and plain.text.startswith("//")
    old = requests.get(f"{served}/{source.split('?')[0]}?v=of-before", timeout=60)
    assert old.text == plain.text and old.headers["Cache-Control"] == "no-cache"
    for nothing in ("none.js", "surface_descent.css", "..%2f..%2fetc%2fpasswd", "index.html"):
        assert requests.get(f"{served}/optviz-files/{nothing}", timeout=60).status_code == 404


@pytest.mark.browser
def test_a_drag_sends_no_picture_and_at_most_ten_words_a_second(new_page, served):
    page, sent, came = new_page, [], []
    page.on("websocket", lambda socket: (socket.on("framesent", lambda data: sent.append(str(data))),
                                         socket.on("framereceived", lambda data: came.append(str(data)))))  # fmt: skip
    page.goto(f"{served}/surface_descent")
    page.wait_for_function("window.optviz")
    # frames are handed on while the page is asked something
    heard = lambda word, where: page.wait_for_timeout(20) or any(word in data for data in where)
    wait_until(lambda: heard("PULL-DOC-REPLY", came), what="the page to be connected")
    page.wait_for_timeout(300)
    sent.clear(), came.clear()
    began = time.monotonic()
    for fraction in (0.2, 0.5, 0.3, 0.4):
        drag_slider(page, "Learning rate", fraction, steps=20)
    last = drag_slider(page, "Learning rate", 0.6, steps=20)
    wait_until(lambda: heard(f"lr={last}", sent), what="the last word")
    words = [data for data in sent if '"text"' in data]
    assert 2 <= len(words) <= 10 * (time.monotonic() - began) + 1 and f"lr={last}" in words[-1]
    assert not any('"data"' in data or "start_x" in data for data in sent + came)
    assert sum(map(len, sent + came)) < 1000 * len(sent)


@pytest.mark.browser
def test_a_page_outlives_its_server_and_tells_the_next_one_what_it_has(browser, tmp_path):
    app, heard = tmp_path / "surface_descent.py", tmp_path / "heard.json"
    app.write_text(HEARING.format(path=str(heard)))
    experiment = SurfaceDescent()
    with watched_page(browser, accept_downloads=True) as page:
        with serve([app], "--warm", log=tmp_path / "first.log") as url:
            page.goto(f"{url}/surface_descent?steps=60")
            page.wait_for_function("window.optviz")
            wait_until(heard.exists, what="Python to hear the state")
            assert json.loads(heard.read_text())["values"]["steps"] == 60
            with page.expect_download(timeout=60_000) as got:
                page.get_by_role("button", name="Download page").click()
            got.value.save_as(tmp_path / "kept.html")
        gone = time.monotonic()
        page.wait_for_function("document.getElementById('away').textContent", timeout=3000)
        assert "goes on by itself" in page.locator("#away").inner_text() and time.monotonic() - gone < 3
        assert page.get_by_role("button", name="Download page").is_disabled()
        handle = slider(page, "Learning rate").locator(".noUi-handle")
        handle.focus()
        for _ in range(5):
            page.keyboard.press("ArrowRight")
        value = slider_value(page, "Learning rate")
        assert value != experiment.optimizer.lr
        experiment.steps, experiment.optimizer.lr = 60, value
        assert_shows(page, experiment)
        heard.unlink()
        page.complaints.clear()  # of requests that nobody answered
        with serve([app], "--warm", log=tmp_path / "second.log", port=int(url.rpartition(":")[2])):
            back = time.monotonic()
            wait_until(lambda: page.locator("#away").inner_text() == "", timeout=30, what="the page to be connected")
            assert time.monotonic() - back < 10
            page.complaints.clear()
            wait_until(heard.exists, what="Python to hear the state")
            state = json.loads(heard.read_text())["values"]
            assert (state["lr"], state["steps"]) == (value, 60)
            assert_shows(page, experiment)
            assert not page.get_by_role("button", name="Download page").is_disabled()
            page.goto((tmp_path / "kept.html").as_uri())
            page.wait_for_function("window.optviz")
            assert_shows(page, SurfaceDescent(steps=60))
