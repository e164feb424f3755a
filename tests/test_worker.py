"""What a visitor's page computes beside the server's event loop: the newest state alone, in turns, and not too much."""

from __future__ import annotations

import asyncio
import gc
import time
import weakref
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import param
import pytest
from browser import drag_slider, slider_value, wait_until
from pages import assert_shows as assert_page_shows
from test_export_pages import status
from test_views import assert_shows

import optviz
from optviz import EdgeOfStability, Experiment, SurfaceDescent
from optviz.halt import look
from optviz.page import turns, worker
from optviz.page.turns import Turns
from optviz.pictures.layers import BLUE, Drawing, Figure, curve


class Slow(Experiment):
    """Computes for as long as it is told, in small pieces, and notes what it does."""

    level = param.Number(1.0, bounds=(0, 100))
    kind = param.Selector(default="a", objects=["a", "b"])
    seconds, size, steps = 0.3, 0.0, 0
    begun: list[tuple[str, float]]
    pieces: list[str]
    ended: list[tuple[str, float]]

    def compute(self):
        if not self.apart:
            return {"level": self.level}
        self.begun.append((self.kind, self.level))
        end = time.monotonic() + self.seconds
        try:
            while time.monotonic() < end:
                look()
                self.pieces.append(self.kind)
                time.sleep(0.002)
            if self.level == 13:
                raise ValueError("Slow needs another level than 13.")
            if self.level == 14:
                raise TypeError("a mistake")
        finally:
            self.ended.append((self.kind, time.monotonic()))
        return {"level": self.level + self.steps}

    def figures(self):
        return [Figure("line", {"line": curve(BLUE)})]

    def draw(self):
        return {
            "line": Drawing({"line": {"x": np.arange(2.0), "y": np.full(2, self.results["level"])}}, (0, 1), (0, 9))
        }

    def status(self):
        return f"{self.kind} at {self.results['level']:g}"

    def memory(self):
        return self.size


@pytest.fixture
def slow():
    """The class, its notes empty."""

    class Noted(Slow):
        begun, pieces, ended = [], [], []

    return Noted


class Visit:
    """A session of an experiment, as a server on the running loop has it."""

    def __init__(self, experiment):
        self.loop, self.ticks = asyncio.get_running_loop(), 0
        self.experiment, self.page = experiment, experiment.page()
        self.document = SimpleNamespace(session_context=object(), add_next_tick_callback=self._tick)
        worker.engage(experiment, self.page, self.document)

    def _tick(self, act):
        self.ticks += 1
        self.loop.call_soon(act)

    async def rests(self):
        """Until everything that was asked for is shown."""
        made = self.experiment.worker
        while made.waits or self.experiment.rough():
            await asyncio.sleep(0.005)

    async def says(self, word):
        while word not in self.page.status.object:
            await asyncio.sleep(0.005)


def in_time(coroutine, seconds=30):
    return asyncio.run(asyncio.wait_for(coroutine, seconds))


def test_the_loop_is_free_while_two_are_dragged_and_the_newest_alone_is_computed(slow):
    gaps, newest = [], []

    async def drag():
        one, two = Visit(slow()), Visit(slow(kind="b"))
        before = time.monotonic()
        for k in range(100):
            one.experiment.level, two.experiment.level = 20 + k / 2, 30 + k / 2
            newest.append((one.experiment.level, two.experiment.level))
            await asyncio.sleep(0.01)
            gaps.append(time.monotonic() - before - 0.01)
            before = time.monotonic()
        for each in (one, two):
            await each.rests()
            assert_shows(each.page, each.experiment)
            assert each.experiment.results["level"] == each.experiment.level

    in_time(drag())
    assert np.median(gaps) < slow.seconds / 2  # on the loop every move would wait for a computation
    assert slow.begun[-1][1] in newest[-1] and len(slow.begun) < len(gaps)  # of two visitors' twice as many states
    for kind in "ab":
        levels = [level for of, level in slow.begun if of == kind]
        assert levels == sorted(levels) and levels[-1] == newest[-1]["ab".index(kind)]


def test_of_many_changes_at_once_the_last_is_computed(slow):
    async def change():
        visit = Visit(slow())
        for level in range(1, 60):
            visit.experiment.level = level
        assert visit.experiment.results["level"] == 1
        await visit.rests()

    in_time(change())
    assert slow.begun[-1] == ("a", 59) and len(slow.begun) <= 2


def test_a_newer_state_stops_an_older_computation(slow):
    slow.seconds = 20

    async def change():
        visit = Visit(slow())
        visit.experiment.level = 2
        while not slow.pieces:
            await asyncio.sleep(0.002)
        await asyncio.sleep(worker.LEAST)
        asked, slow.seconds = time.monotonic(), 0.01
        visit.experiment.level = 3
        await visit.rests()
        assert slow.ended[0][1] - asked < 10  # of its 20 s: it was interrupted, and not waited for
        assert [level for _, level in slow.begun] == [2, 3] and visit.experiment.results["level"] == 3

    in_time(change())


def test_sessions_take_turns_within_their_computations(slow, monkeypatch):
    monkeypatch.setattr(worker, "_TURNS", Turns(1))
    monkeypatch.setattr(turns.Share.pass_on, "__defaults__", (0.03,))
    slow.seconds = 1.5  # enough for six turns on a busy machine, too

    async def both():
        visits = [Visit(slow(kind=kind)) for kind in "ab"]
        for each in visits:
            each.experiment.level = 5
        for each in visits:
            await each.rests()

    in_time(both())
    switches = sum(one != other for one, other in pairwise(slow.pieces))
    assert switches >= 6 and set(slow.pieces) == {"a", "b"}


def test_what_waits_longest_has_the_next_turn():
    made, order = Turns(1), []
    made.begin()

    async def three():
        loop = asyncio.get_running_loop()
        waiting = []
        for name in "abc":
            waiting.append(loop.run_in_executor(None, lambda name=name: (made.begin(), order.append(name), made.end())))
            while len(made._waiting) < len(waiting):
                await asyncio.sleep(0.001)
        made.end()
        await asyncio.gather(*waiting)

    in_time(three())
    assert order == ["a", "b", "c"] and not made.wanted()


def test_a_page_says_that_it_computes_and_then_what_it_shows(slow):
    slow.seconds = 0.6

    async def change():
        visit = Visit(slow())
        visit.experiment.level = 7
        await visit.says("Computing…")
        await visit.rests()
        assert "a at 7" in visit.page.status.object

    in_time(change())


def test_too_long_a_computation_is_refused_in_one_sentence(slow, monkeypatch):
    monkeypatch.setattr(worker, "LONGEST", 0.2)
    slow.seconds = 20

    async def change():
        visit = Visit(slow())
        visit.experiment.level = 7
        await visit.rests()
        assert (
            visit.experiment.message
            == visit.page.message.object
            == (
                "Noted needs at most 0.2 s for a change on a served page, not more; choose less, or run it from Python."
            )
        )
        assert visit.experiment.results["level"] == 1 and "a at 1" in visit.page.status.object
        slow.seconds = 0.0
        visit.experiment.level = 8
        await visit.rests()
        assert visit.experiment.message == visit.page.message.object == ""

    in_time(change())


def test_too_much_memory_is_refused_before_anything_is_computed(slow):
    slow.size = 2.4e9

    async def change():
        visit = Visit(slow())
        visit.experiment.level = 7
        await visit.rests()
        assert visit.experiment.message == (
            "Noted needs at most 1 GB on a served page, not 2.4 GB; choose less, or run it from Python."
        )

    in_time(change())
    assert not slow.begun


def test_what_an_experiment_refuses_is_said_and_what_stands_stays(slow):
    slow.seconds = 0.0

    async def change():
        visit = Visit(slow())
        visit.experiment.level = 6
        await visit.rests()
        visit.experiment.level = 13
        await visit.rests()
        assert visit.page.message.object == "Slow needs another level than 13." and visit.page.message.visible
        assert visit.experiment.results["level"] == 6
        visit.experiment.level = 5
        await visit.rests()
        assert not visit.page.message.visible and visit.experiment.results["level"] == 5

    in_time(change())


def test_a_mistake_in_an_experiment_is_raised_in_its_session(slow):
    slow.seconds, raised = 0.0, []

    async def change():
        asyncio.get_running_loop().set_exception_handler(lambda loop, what: raised.append(what["exception"]))
        visit = Visit(slow())
        visit.experiment.level = 14
        await visit.rests()
        visit.experiment.level = 15
        await visit.rests()
        assert visit.experiment.results["level"] == 15

    in_time(change())
    assert [str(each) for each in raised] == ["a mistake"]


def test_what_is_of_something_else_by_now_is_not_shown(slow):
    slow.seconds, seen = 0.1, []

    async def change():
        visit = Visit(slow())
        visit.experiment.param.watch(lambda _: seen.append(visit.page.status.object), "revision")
        visit.experiment.level = 3
        while not slow.begun:
            await asyncio.sleep(0.002)
        visit.experiment.kind = "b"
        await visit.rests()
        visit.experiment.level = 4
        while len(slow.begun) < 3:
            await asyncio.sleep(0.002)
        visit.experiment.level = 5  # of another number only: what is being computed is shown, then this
        await visit.rests()

    in_time(change())
    assert [text.split(">")[1].split("<")[0] for text in seen] == ["b at 3", "b at 4", "b at 5"]


def test_what_buttons_have_set_beside_the_parameters_is_computed_with(slow):
    slow.seconds = 0.0

    async def change():
        visit = Visit(slow())
        visit.experiment.steps = 4
        visit.experiment.refresh()
        await visit.rests()
        assert visit.experiment.results["level"] == 5

    in_time(change())


def test_a_session_that_goes_leaves_nothing(slow):
    slow.seconds = 20

    async def go():
        visit = Visit(slow())
        visit.experiment.level = 7
        while not slow.pieces:
            await asyncio.sleep(0.002)
        left = [weakref.ref(each) for each in (visit.experiment, visit.page, visit.experiment.worker)]
        visit.document.session_context = None
        del visit
        await asyncio.sleep(worker.LATE + 0.1)  # what waits to say that it computes
        while not slow.ended or any(ref() is not None for ref in left):
            gc.collect()
            await asyncio.sleep(0.01)

    in_time(go())


def test_what_holds_data_of_a_users_own_has_no_worker():
    async def open_one():
        own = optviz.objective(lambda x, y: x**2 + 2 * y**2, label="a bowl of its own")
        experiment = Visit(SurfaceDescent(objective=own)).experiment
        assert experiment.worker is None
        experiment.steps = 30
        assert experiment.trajectory.x.shape[0] == 31

    in_time(open_one())


def test_one_that_comes_to_hold_such_is_computed_on_the_loop_from_then_on():
    async def change():
        visit = Visit(SurfaceDescent())
        visit.experiment.steps = 20
        own = optviz.objective(lambda x, y: x**2 + 2 * y**2, label="a bowl of its own")
        visit.experiment.objective = own
        assert not visit.experiment.worker.waits and visit.experiment.trajectory.x.shape[0] == 21
        while not _agrees(assert_shows, visit.page, visit.experiment):  # texts come a little later
            await asyncio.sleep(0.01)

    in_time(change())


@pytest.mark.parametrize("changes", [
    [{"lr": 0.2}, {"momentum": 0.5, "steps": 400}, {"data": "Moons"}, {"width": 4, "seed": 3}],
    [{"activation": "Tanh", "lr": 3.0}, {"momentum": 0.9}],
])  # fmt: skip
def test_an_edge_of_stability_is_that_of_plain_python(changes):
    plain = EdgeOfStability()

    async def move():
        visit = Visit(EdgeOfStability())
        for change in changes:
            visit.experiment.param.update(**change)
            plain.param.update(**change)
            await visit.rests()
            assert_shows(visit.page, plain)
        visit.experiment.param.trigger("fit_axes")
        plain.param.trigger("fit_axes")
        await visit.rests()
        assert_shows(visit.page, plain)
        for name in ("loss", "sharpness", "weights", "done", "diverged"):
            assert np.array_equal(getattr(visit.experiment.run, name), getattr(plain.run, name), equal_nan=True)

    in_time(move(), 60)


def test_a_training_that_was_stopped_goes_on_where_it_was():
    async def stop():
        visit = Visit(EdgeOfStability())
        visit.experiment.param.update(steps=3000, width=8)
        await visit.says("Step")
        visit.experiment.cancel()
        while visit.experiment.worker.waits:
            await asyncio.sleep(0.005)
        done = visit.experiment.run.done
        assert 0 < done < 3000 and "Step" in visit.page.status.object
        visit.experiment.steps = done + 100
        await visit.rests()
        assert visit.experiment.run.done == done + 100 and "After" in visit.page.status.object

    in_time(stop())


@pytest.mark.browser
def test_a_drag_of_a_served_training_ends_with_its_picture(page, served):
    page.goto(f"{served}/edge_of_stability?steps=400")
    wait_until(lambda: status(page).startswith("After 400 steps"), 30, "the first run")
    drag_slider(page, "Learning rate", 0.6)
    plain = EdgeOfStability(steps=400)
    plain.lr = slider_value(page, "Learning rate")
    limit = f"2 / lr = {2 / plain.lr:.4g}"
    wait_until(lambda: status(page).startswith("After 400") and limit in status(page), 30, "the whole run")
    wait_until(lambda: _agrees(assert_page_shows, page, plain), 10, "its picture")


def _agrees(look_at, page, experiment) -> bool:
    try:
        look_at(page, experiment)
    except AssertionError:
        return False
    return True
