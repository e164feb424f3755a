"""Strangers: hostile addresses and messages are each answered by one sentence, and touch nobody else."""

import asyncio
import itertools
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from browser import drag_slider, slider_value, source_data, wait_idle, wait_until
from conftest import OPTVIZ_SERVE, ROOT, free_port
from hostile import BOMB, UPGRADE, Visitor, answer_to, ask_all, complaint, message, messages_from, patch, requests_from

from optviz import SurfaceDescent
from optviz.catalogue import experiments
from optviz.guard import LONGEST_TEXT
from optviz.served import Visit

MANY = int(os.environ.get("OPTVIZ_HOSTILE", "0"))  # addresses, and a tenth of as many messages


@contextmanager
def served_by_optviz(log: Path, *words: str) -> Iterator[int]:
    """README's first command in a process of its own; gives its port, once it answers, and looks at its log."""
    port = free_port()
    command = [sys.executable, "-c", "import sys; from optviz.command import main; sys.exit(main())"]
    with log.open("w") as out:
        process = subprocess.Popen([*command, *OPTVIZ_SERVE[1:], *words, "--port", str(port)], cwd=ROOT,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=out, text=True)  # fmt: skip
    try:
        assert process.stdout and process.stdout.readline() == f"optviz is at http://127.0.0.1:{port}\n", (
            log.read_text()
        )
        yield port
        assert process.poll() is None, f"the server stopped with {process.returncode}:\n{log.read_text()[-3000:]}"
    finally:
        process.terminate()
        process.communicate(timeout=20)
    text = log.read_text()
    assert "Traceback" not in text and not [line for line in text.splitlines() if line.startswith(" ")], text[-3000:]
    assert "went wrong" not in text, text[-3000:]


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Where `optviz serve` is."""
    with served_by_optviz(tmp_path_factory.mktemp("hostile") / "server.log") as port:
        yield port


def get(port: int, path: str, *headers: str) -> tuple[int, bytes, bytes]:
    request = "\r\n".join([f"GET {path} HTTP/1.1", "Host: localhost", *headers, "", ""]).encode()
    return asyncio.run(answer_to(port, request))


def assert_quick(port: int) -> None:
    began = time.monotonic()
    assert get(port, "/surface_descent")[0] == 200
    assert time.monotonic() - began < 5  # nothing holds the server up


def test_every_page_is_there(port):
    for name in ("", "index", *experiments()):
        assert get(port, f"/{name}")[0] == 200
    assert b"og:image" in get(port, "/race")[2] and get(port, "/optviz-files/race.webp")[2].startswith(b"RIFF")


def test_components_import_nothing(port):
    for module in ("this", "antigravity", "idlelib.idle", "optviz.command", "os", ".os", "__main__"):
        status, _, body = get(port, f"/components/{module}/x/css/y")
        assert (status, body) == (404, b"There is nothing at this address.")
    assert get(port, "/a/components/panel.io.server/ComponentResourceHandler/_resource_attrs/__css__")[0] == 404
    assert_quick(port)


@pytest.mark.parametrize("how", ["address", "token", "header"])
def test_a_session_that_somebody_brings_is_refused(port, how):
    async def theirs():
        visitor = await Visitor(port, "surface_descent").connect()
        await visitor.leave()
        return visitor.token

    token = asyncio.run(theirs())  # genuine, and signed
    status, head, body = {
        "address": lambda: get(port, "/surface_descent?bokeh-session-id=chosen"),
        "token": lambda: get(port, f"/surface_descent?bokeh-token={token}"),
        "header": lambda: get(port, "/surface_descent", "Bokeh-Session-Id: chosen"),
    }[how]()
    assert status == 403 and not complaint((status, head, body))


def test_hostile_addresses_are_answered_by_a_sentence_each(port):
    requests = list(itertools.islice(requests_from(1), MANY or 600))
    began = time.monotonic()
    counted, wrong = asyncio.run(ask_all(port, requests))
    if MANY:
        print(f"\n{len(requests):,} addresses in {time.monotonic() - began:.0f} s, by status: {dict(counted)}")
    assert not wrong, wrong[:5]
    assert counted[200] and counted[404] and counted[403] and counted[0] < len(requests) / 5
    assert_quick(port)


def test_a_token_that_unpacks_to_much_is_not_unpacked(port):
    lines = [*UPGRADE, f"Sec-WebSocket-Protocol: bokeh, {BOMB}.x"]
    began = time.monotonic()
    get(port, "/race/ws", *lines), get(port, f"/race?bokeh-token={BOMB}")
    assert time.monotonic() - began < 5  # nothing holds the server up


def test_hostile_messages_are_refused_and_touch_nobody(port):
    counted = asyncio.run(send_them(port, (MANY or 2000) // 10))
    if MANY:
        print(f"\nmessages: {counted}")
    assert counted["refused"] > counted["taken"]
    assert_quick(port)


async def send_them(port: int, count: int) -> dict[str, int]:
    """Send so many, most to a page that computes by itself and some to one of Python's; others look on."""
    others = [await Visitor(port, name).connect() for name in ("surface_descent", "edge_of_stability")]
    root = (await others[0].pull())[0]["roots"][0]["id"]
    await others[0].send(*patch(kind="ModelChanged", model={"id": root}, attr="text", new="lr=0.3"))
    before = [(await other.pull())[0] for other in others]
    assert before[0]["roots"][0]["attributes"]["text"] == "lr=0.3"
    counted = {"refused": 0, "cut": 0, "taken": 0}
    for name, share in (("surface_descent", 0.95), ("edge_of_stability", 0.05)):
        stranger, ids = await newcomer(port, name)
        for sent in itertools.islice(messages_from(2, ids), round(share * count)):
            await stranger.send(*sent)
            document, said = await stranger.pull()
            for each in said:
                text = each["text"] if isinstance(each, dict) else each or ""
                assert "\n" not in text and len(text) < 300 and "Traceback" not in text, (sent, each)
                assert not isinstance(each, dict) or each["traceback"] is None and text.endswith("."), each
            counted[
                "cut" if document is None else "refused" if any(isinstance(s, dict) for s in said) else "taken"
            ] += 1
            if document is not None and name == "surface_descent":
                (only,) = document["roots"]
                assert only["name"] == "Div" and document["title"] == SurfaceDescent.title
                assert set(only["attributes"]) <= {"name", "text", "visible"} and not only["attributes"]["visible"]
            if document is None:
                await stranger.leave()
                stranger, ids = await newcomer(port, name)
        await stranger.leave()
    for other, was in zip(others, before, strict=True):
        document, said = await other.pull()
        assert document == was and said == [], said
        await other.leave()
    return counted


async def newcomer(port: int, name: str) -> tuple[Visitor, list[str]]:
    """Somebody on a page, and the ids of the models that he may name."""
    stranger = await Visitor(port, name).connect()
    document = (await stranger.pull())[0]
    return stranger, [root["id"] for root in document["roots"]]


def test_a_page_may_say_its_state_and_no_more(port):
    async def say() -> list:
        visitor, (root,) = await newcomer(port, "surface_descent")
        heard = []
        for text in ("lr=0.3", "x" * LONGEST_TEXT, "x" * (LONGEST_TEXT + 1)):
            await visitor.send(*patch(kind="ModelChanged", model={"id": root}, attr="text", new=text))
            heard.append((await visitor.pull())[1][0])
        await visitor.send(*message("PUSH-DOC", {"doc": {}}))
        heard.append((await visitor.pull())[1][0])
        await visitor.leave()
        return heard

    small, most, over, push = asyncio.run(say())
    assert small == most == "OK" and over["text"] == "The page may say 65,536 characters, not '65,537'."
    assert push["text"] == "The page may ask for its document and change it, not 'PUSH-DOC'."


def test_another_page_may_not_connect(port):
    lines = [*UPGRADE, "Origin: http://evil.example", "Sec-WebSocket-Protocol: bokeh, x"]
    assert get(port, "/race/ws", *lines)[0] == 403


@pytest.mark.browser
def test_browsers_find_everything_there(page, port):
    address = f"http://127.0.0.1:{port}"
    page.goto(f"{address}/surface_descent?steps=60")
    page.wait_for_function("window.optviz")
    keep = page.get_by_role("button", name="Download page")
    wait_until(lambda: not keep.is_disabled(), what="the page to be connected")
    noise = random.Random(0).randbytes(150_000).hex()
    page.goto(f"{address}/single_parameter?momentum={noise}")
    assert "must be at most 200 characters long" in page.locator(".refused p").inner_text()
    page.goto(f"{address}/edge_of_stability?steps=9&theme=nothing")  # which Python computes
    wait_idle(page)
    drag_slider(page, "Steps", 0.02)
    steps = round(slider_value(page, "Steps"))
    wait_until(lambda: len(source_data(page, "sharpness.sharpness")["y"]) == steps + 1, 30, "the run")


def test_whatever_a_page_says_gives_an_experiment():
    draw, visit = random.Random(3), Visit(SurfaceDescent)
    texts = [
        "lr=nan&lr=3",
        "&" * LONGEST_TEXT,
        "%ff=%00",
        "=;=",
        "\x00",
        "lr=" + "9" * 60_000,
        "optimizer=%s&%n",
        "🂡=🂡",
    ]
    texts += ["".join(map(chr, draw.choices(range(1, 0xD7FF), k=300))) for _ in range(20)]
    texts += ["&".join(f"{draw.choice(['lr', 'steps', 'objective', 'optimizer', 'start_x'])}="
                       f"{draw.choice(['', '1e999', '-1', 'adam', 'x' * 99, '[1]', 'null'])}" for _ in range(4))
              for _ in range(40)]  # fmt: skip
    for text in texts:
        visit.wire.text = text
        assert isinstance(visit.experiment, SurfaceDescent)
    visit.wire.text = "steps=60&lr=0.2"
    assert visit.experiment.steps == 60


REFUSED = ["nobody", "--address 0.0.0.0", "--public *", "--port 99999", "--public a/"]


@pytest.mark.parametrize("words", REFUSED)
def test_what_the_command_cannot_do_it_says_in_a_sentence(words, capsys):
    from optviz.command import main

    assert main(["serve", *words.split()]) == 2
    said = capsys.readouterr().err
    assert said.startswith("optviz: optviz ") and said.endswith(".\n") and said.count("\n") == 1
