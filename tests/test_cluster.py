"""What pages say of the cluster that they were told to use."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest
from conftest import free_port

from optviz import HyperparameterMap, SurfaceDescent, cluster
from optviz.experiments.surface_descent import REACHED


async def until(true, seconds=15.0):
    for _ in range(int(seconds / 0.02)):
        if true():
            return
        await asyncio.sleep(0.02)
    assert true()


def test_a_page_says_that_the_cluster_does_not_answer_until_it_does(monkeypatch):
    pytest.importorskip("distributed")
    address = f"tcp://127.0.0.1:{free_port()}"
    absent = f"No cluster answers at {address}: start one with 'dask scheduler'. Computed here."
    monkeypatch.setattr(cluster, "ANSWER", "0.3s")
    monkeypatch.setenv(cluster.VARIABLE, address)

    async def visit():
        chart, descent = HyperparameterMap(steps=3), SurfaceDescent()
        pages = chart.page(), descent.page()
        await until(lambda: absent in pages[0].status.object)  # by itself: nothing moves
        assert absent not in pages[1].status.object, "no work for a cluster"
        descent.basins = REACHED
        assert absent in pages[1].status.object and chart.message == descent.message == ""
        assert absent not in chart.status() and "No cluster" not in chart.html()
        machines = SimpleNamespace(sync=lambda *_, **__: {}, scheduler=SimpleNamespace(ncores=None))
        monkeypatch.setattr(cluster, "_connected", lambda *_: machines)
        monkeypatch.setattr(cluster, "AGAIN", 0.0)
        chart.steps = 4
        await until(lambda: not any("No cluster" in page.status.object for page in pages))

    asyncio.run(visit())
    monkeypatch.delenv(cluster.VARIABLE)
    assert cluster.absence() == ""
