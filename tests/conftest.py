"""The browser harness: `page` is a watched Chromium page, `served` the apps as users serve them.

A browser test takes both and is marked `browser`:

    @pytest.mark.browser
    def test_index_opens(page, served):
        page.goto(f"{served}/index")
        wait_idle(page)

Helpers to read and move what is on a page are in tests/browser.py.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import pytest
import requests
from filelock import FileLock
from hands import TRUE_PHONE

ROOT = Path(__file__).parents[1]
os.environ.setdefault("OPTVIZ_KERNELS", "off")  # to compile for each of so many small sweeps would take long
OPTVIZ_SERVE = ["optviz", "serve"]  # as in the README
SERVE_FLAGS = ["--index", "index", "--warm"]  # the same under Panel's command
# tests that share what takes long to make, pages of their own or what HoloViews drew, by how their files are called,
# or they; the other files go one by one to who is free
GROUPS = {
    "apps": (
        "test_apps",
        "test_edge_of_stability::test_a_served",
        "test_plot_ranges::test_a_served",
        "test_worker::test_a_drag_of_a_served",
    ),
    "served": (
        "test_controls",
        "test_looks",
        "test_sharing_pages",
        "test_remote",
        "test_own_points_pages",
        "test_formula_pages::test_a_served",
        "test_served::test_a_page_is_light",
        "test_served::test_a_drag_sends",
    ),
    "saved": ("test_export_pages", "test_export_player"),
    "exported": (
        "test_export_address",
        "test_export_map",
        "test_export_offers",
        "test_export_themes",
        "test_formula_pages",
        "test_plot_ranges::test_an_exported",
        "test_export_stored::test_the_command",
        "test_export_stored::test_the_index",
    ),
    "pages": ("test_views", "test_bad_input"),
    "carried": ("test_export_carried",),
    "laws": ("test_export", "test_edge_of_stability::test_an_exported"),
}
# what takes longest, groups and files, which come first, or one process works on alone at the end
LONGEST = ("apps", "saved", "test_notebooks", "served", "pages", "test_additions", "exported", "test_worker", "carried",
           "laws", "test_lesson_pages", "test_sharing", "test_export_stored", "test_noisy_rates", "test_hostile",
           "test_served")  # fmt: skip
DESKTOP, PHONE = {"width": 1400, "height": 900}, {"width": 390, "height": 844}
CHROMIUM_NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]
NO_CHROMIUM = (
    "the browser tests need Chromium or Chrome on the PATH: `apt-get install chromium` on Debian, "
    "`snap install chromium` on Ubuntu, `brew install --cask chromium` on macOS"
)
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",  # no look-ups of its own
    "--disable-component-update",
    "--disable-sync",
    # repaint in a window that nothing shows, or that another page covers
    "--disable-backgrounding-occluded-windows",
    "--disable-renderer-backgrounding",
    "--disable-background-timer-throttling",
]


def group_of(nodeid: str) -> str:
    """The tests that one process takes together."""
    file, _, test = nodeid.partition("::")
    stem = Path(file).stem
    return next((group for group, starts in GROUPS.items() if f"{stem}::{test}".startswith(starts)), stem)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest first, or one process works on alone at the end."""
    ranks = {group: rank for rank, group in enumerate(LONGEST)}
    items.sort(key=lambda item: ranks.get(group_of(item.nodeid), len(ranks)))


def pytest_collection_finish() -> None:
    """Leave what was imported to itself: the collector would go through it again and again."""
    gc.collect()
    gc.freeze()


def pytest_xdist_make_scheduler(config: pytest.Config, log):
    """Have each process take whole groups of tests."""
    from xdist.scheduler import LoadScopeScheduling

    class ByGroup(LoadScopeScheduling):
        """xdist's own groups do nothing under pytest 9.2: its ids cannot be written to (pytest-xdist issue 1386)."""

        def _split_scope(self, nodeid: str) -> str:
            return group_of(nodeid)

    return ByGroup(config, log)


@pytest.fixture(autouse=True)
def no_running_loop(request: pytest.FixtureRequest) -> Iterator[None]:
    """Hide Playwright's event loop from tests that run their own (notebooks, servers).

    Its synchronous interface leaves a loop marked as running in the main thread until the
    session ends, and asyncio.run would refuse to start a second one there.
    """
    if "browser" in request.fixturenames or request.node.get_closest_marker("browser"):
        yield
        return
    loop = asyncio._get_running_loop()
    asyncio._set_running_loop(None)
    yield
    asyncio._set_running_loop(loop)


def find_chromium() -> str | None:
    """The path of a Chromium or Chrome on this machine, or None."""
    return next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)


@pytest.fixture(scope="session")
def browser() -> Iterator:
    """A headless Chromium; without one the test skips, with CI=true it fails."""
    path = find_chromium()
    if path is None:
        refuse = pytest.fail if os.environ.get("CI", "").lower() == "true" else pytest.skip
        refuse(NO_CHROMIUM)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, headless=True, args=CHROMIUM_FLAGS)
        yield browser
        browser.close()


def leaves_the_machine(url: str) -> bool:
    """Whether a page that asks for this address asks another machine."""
    parts = urlsplit(url)
    inside = parts.scheme in ("data", "blob", "about", "file")
    return not inside and parts.hostname not in ("127.0.0.1", "localhost")


class Complaints(list):
    """What went wrong in a page: console errors, exceptions, requests to other machines."""

    def watch(self, page) -> None:
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.append(f"exception: {error}"))
        page.on("request", lambda request: self._address(request.url))
        page.on("websocket", lambda socket: self._address(socket.url))
        page.on("crash", lambda _: self.append("the page crashed"))

    def none(self) -> None:
        """Fail if there are any."""
        assert not self, "\n".join(self)

    def _console(self, message) -> None:
        if message.type == "error":
            self.append(f"console: {message.text} ({message.location.get('url', '')})")

    def _address(self, url: str) -> None:
        if leaves_the_machine(url):
            self.append(f"request off this machine: {url}")


@contextmanager
def watched_page(browser, **context) -> Iterator:
    """A page in a context of its own; leaving fails if anything went wrong in it.

    Keywords go to the context: `viewport={"width": 390, "height": 844}` is a phone. The list
    `page.complaints` may be read, and cleared by a test that provokes an error on purpose.
    """
    opened = browser.new_context(**{"viewport": DESKTOP, **context})
    opened.set_default_timeout(20_000)
    try:
        page = opened.new_page()
        page.complaints = Complaints()
        page.complaints.watch(page)
        yield page
        page.complaints.none()
    finally:
        opened.close()


@pytest.fixture(scope="session")
def tab(browser) -> Iterator:
    """The page of somebody who looks at one after the other: it has read their scripts once."""
    with watched_page(browser) as page:
        yield page


FORGET = "() => ['localStorage', 'sessionStorage'].forEach((kept) => { try { window[kept].clear(); } catch {} })"


@pytest.fixture
def page(tab) -> Iterator:
    """A watched page of 1400 x 900, in the tab of the tests before: a new one takes twice as long to open."""
    yield tab
    tab.evaluate(FORGET)
    tab.goto("about:blank")
    tab.context.set_offline(False)
    tab.context.clear_permissions()
    tab.set_viewport_size(DESKTOP)
    tab.emulate_media(color_scheme="light")
    tab.mouse.move(0, 0)
    try:
        tab.complaints.none()
    finally:
        tab.complaints.clear()


@pytest.fixture(scope="session")
def phone_tab(browser) -> Iterator:
    """The page of somebody who looks at one after the other on a phone."""
    with watched_page(browser, **TRUE_PHONE) as page:
        yield page


@pytest.fixture
def phone(phone_tab) -> Iterator:
    """A watched page on a phone: as wide as its screen, touched by fingers."""
    yield phone_tab
    phone_tab.goto("about:blank")
    try:
        phone_tab.complaints.none()
    finally:
        phone_tab.complaints.clear()


@pytest.fixture
def new_page(browser) -> Iterator:
    """A watched page of 1400 x 900 in a context of its own: for tests that listen to it, or count its history."""
    with watched_page(browser) as page:
        yield page


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def serve(files: list[Path], *flags: str, log: Path, timeout: float = 300, port: int = 0) -> Iterator[str]:
    """Run `panel serve` on the files in a process of its own; gives the address it answers at.

    Leaving fails if the server's log holds an error. The log is in the file `log`.
    """
    process, url = _start(files, flags, log, timeout, port)
    try:
        yield url
        assert process.poll() is None, f"the server stopped with {process.returncode}:\n{log.read_text()}"
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    assert_no_error(log)


def _start(
    files: list[Path], flags: Sequence[str], log: Path, timeout: float = 300, port: int = 0
) -> tuple[subprocess.Popen, str]:
    """The process of a server, and the address it answers at."""
    port = port or free_port()
    command = [sys.executable, "-m", "panel", "serve", *map(str, files), *flags]
    command += ["--port", str(port), "--address", "127.0.0.1"]
    command += ["--allow-websocket-origin", f"127.0.0.1:{port}"]
    with log.open("w") as out:
        process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT)
    url = f"http://127.0.0.1:{port}"
    try:
        _wait_until_it_answers(url, process, log, timeout)
    except BaseException:
        process.kill()
        process.wait()
        raise
    return process, url


def assert_no_error(log: Path) -> None:
    """Fail if the log of a server holds one."""
    text = _GONE.sub("", log.read_text())
    assert "Traceback" not in text and "ERROR" not in text, text


# what tornado says where a page went while the server was writing to it
_GONE = re.compile(
    r"[^\n]*Task exception was never retrieved\n(?:(?!\d{4}-\d\d-\d\d)[^\n]*\n)*?[^\n]*WebSocketClosedError\n"
)


def _wait_until_it_answers(url: str, process: subprocess.Popen, log: Path, timeout: float) -> None:
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        assert process.poll() is None, f"the server stopped:\n{log.read_text()}"
        if _answers(url):
            return
        time.sleep(0.1)
    raise AssertionError(f"no answer from the server in {timeout} s:\n{log.read_text()}")


def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of all processes of this run of the tests."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base


_STARTED: list[subprocess.Popen] = []  # kept, as another process of the tests may be the one to stop it


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of all apps, of somebody else's and of one that Python computes.

    One server for all processes: the first that asks starts it, the last that leaves stops it and reads its log.
    """
    shared = shared_folder(tmp_path_factory)
    told, log, lock = shared / "served.json", shared / "served.log", FileLock(shared / "served.lock")
    with lock:
        if told.exists():
            found = json.loads(told.read_text())
        else:
            process, url = _start(_apps(shared / "apps"), SERVE_FLAGS, log)
            _STARTED.append(process)
            found = {"url": url, "pid": process.pid, "users": 0}
        told.write_text(json.dumps(found | {"users": found["users"] + 1}))
    yield found["url"]
    with lock:
        left = json.loads(told.read_text())
        told.write_text(json.dumps(left | {"users": left["users"] - 1}))
        if left["users"] > 1:
            for process in _STARTED:
                process.returncode = 0  # or Python would warn that it runs on
            return
        told.unlink()
        assert _answers(found["url"]), f"the server stopped:\n{log.read_text()}"
        os.kill(found["pid"], signal.SIGTERM)
        for process in _STARTED:
            process.wait(20)
        assert_no_error(log)


def _answers(url: str) -> bool:
    try:
        requests.get(f"{url}/favicon.ico", timeout=20)
    except requests.ConnectionError:
        return False
    return True


def _apps(folder: Path) -> list[Path]:
    """All apps, and some that are written for the tests."""
    folder.mkdir(exist_ok=True)
    (folder / "mine.py").write_text("import panel as pn\n\npn.panel('An app of my own').servable()\n")
    (folder / "live_surface.py").write_text(
        "from optviz import SurfaceDescent\nfrom optviz.app import serve_live\n\nserve_live(SurfaceDescent)\n"
    )
    (folder / "own_page.py").write_text(
        "import panel as pn\nfrom optviz import SurfaceDescent\n\npn.panel(SurfaceDescent(steps=30)).servable()\n"
    )
    return [*sorted((ROOT / "apps").glob("*.py")), *sorted(folder.glob("*.py"))]


class Exports(NamedTuple):
    """The pages of all experiments, what is printed for them, and the methods that it calls."""

    folder: Path
    programs: list[str]
    calls: set[str]


@pytest.fixture(scope="session")
def export_all(tmp_path_factory: pytest.TempPathFactory) -> Exports:
    """The page of every experiment, saved as it starts, and their index: by the first process that asks, for all."""
    shared = shared_folder(tmp_path_factory)
    folder, told = shared / "exported", shared / "exported.json"
    with FileLock(shared / "exported.lock"):
        if not told.exists():
            programs, calls = _export_all(folder)
            told.write_text(json.dumps([programs, sorted(calls)]), "utf-8")
    programs, calls = json.loads(told.read_text("utf-8"))
    return Exports(folder, programs, set(calls))


def _export_all(folder: Path) -> tuple[list[str], set[str]]:
    """What is printed for the pages of all experiments, and the methods that it calls."""
    from optviz.command import main
    from optviz.export import page

    programs, bundles = [], []

    class Kept(page.Bundle):
        def __init__(self, *given):
            super().__init__(*given)
            bundles.append(self)

    def program(*given, was=page._program):
        programs.append(was(*given))
        return programs[-1]

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(page, "Bundle", Kept)
        patched.setattr(page, "_program", program)
        assert main(["export", "--all", str(folder)]) == 0
    assert len(programs) <= len(bundles)
    return programs, {name for bundle in bundles for name in bundle.calls}


@pytest.fixture(scope="session")
def exported(export_all: Exports) -> Path:
    """The folder with the page of every experiment, saved as it starts, and their index."""
    return export_all.folder
