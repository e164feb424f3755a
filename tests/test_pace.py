"""Work that waits: done once for many requests, and at once where there is no loop to wait in."""

from __future__ import annotations

import asyncio
from time import monotonic
from types import SimpleNamespace

import pytest

from optviz.page.pace import Later, Turn


def test_without_a_loop_it_acts_at_once():
    done = []
    Later(lambda: done.append(1), 5.0).ask()
    assert done == [1]


@pytest.mark.parametrize("quiet", [False, True])
def test_many_requests_are_one_act(quiet):
    done, asked = [], []

    async def ask(later):
        for _ in range(6):
            asked.append(monotonic())
            later.ask()
            assert not done or not quiet
            await asyncio.sleep(0.02)
        await asyncio.sleep(0.3)

    asyncio.run(ask(Later(lambda: done.append(monotonic()), 0.15, quiet)))
    assert len(done) == 1
    since = asked[-1] if quiet else asked[0]
    assert done[0] - since >= 0.149  # loops keep time to a millisecond


def test_after_an_act_it_can_be_asked_again():
    done = []

    async def ask(later):
        for _ in range(2):
            later.ask()
            await asyncio.sleep(0.1)

    asyncio.run(ask(Later(lambda: done.append(1), 0.01)))
    assert done == [1, 1]


def test_a_turn_is_the_next_tick_on_a_server_and_now_elsewhere():
    done, ticks = [], []
    Turn(None).take(lambda: done.append("plain Python"))
    kernel = SimpleNamespace(session_context=None)
    Turn(kernel).take(lambda: done.append("a kernel"))
    assert done == ["plain Python", "a kernel"]
    served = SimpleNamespace(session_context=object(), add_next_tick_callback=ticks.append)
    turn = Turn(served)
    turn.take(lambda: done.append("a server"))
    assert len(ticks) == 1 and len(done) == 2
    served.session_context = None
    turn.take(lambda: done.append("nobody"))
    assert len(ticks) == 1 and len(done) == 2, "the visitor has gone"
