"""A sweep on a cluster gives the same numbers; pages use one, or do without it and say so."""

from __future__ import annotations

import asyncio
import os
import time
from types import SimpleNamespace

import numpy as np
import pytest
from conftest import free_port
from test_sweep import ALL

import optviz
from optviz import SGD, Adam, HyperparameterMap, SurfaceDescent, surfaces, sweep
from optviz.experiments.surface_descent import REACHED
from optviz.sweeps import cluster


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


def stop_once(part, path):
    """A sweep's part that kills the worker that is the first to run it."""

    def deadly(grid, at, size):
        try:
            os.close(os.open(path, os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            return part(grid, at, size)
        os._exit(1)

    return deadly


@pytest.mark.filterwarnings("ignore")  # of distributed's own, as workers come and go
def test_a_cluster_gives_the_same_numbers_and_outlives_a_worker(tmp_path, monkeypatch):
    distributed = pytest.importorskip("distributed")
    from optviz.sweeps import cluster

    axes = {"lr": np.geomspace(1e-3, 3, 30), "momentum": np.linspace(0, 0.99, 20)}
    call = {"measure": ALL, "block": 40}
    plain = sweep(surfaces.Rosenbrock(), SGD(), (-1.2, 1), 50, axes, **call)
    own = optviz.objective(lambda x, y: x**2 + 3 * y**2)
    told: list[tuple[int, int]] = []
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as machines:
        far = sweep(surfaces.Rosenbrock(), SGD(), (-1.2, 1), 50, axes, scheduler=machines.scheduler_address,
                    progress=lambda done, of: told.append((done, of)), **call)  # fmt: skip
        assert plain.identical(far)
        assert told == sorted(told) and told[-1] == (600, 600) and len(told) > 3
        with distributed.Client(machines) as client:
            seeds = {"seed": range(5), "lr": [0.05, 0.1, 3.0]}
            noisy = sweep(surfaces.Rosenbrock(), SGD(), (-1.2, 1), 50, seeds, noise=0.2)
            assert noisy.identical(sweep(surfaces.Rosenbrock(), SGD(), (-1.2, 1), 50, seeds, noise=0.2, block=4,
                                         scheduler=client))  # fmt: skip
            assert sweep(own, Adam(), (1, 1), 20, {"lr": [0.1, 0.2]}).identical(
                sweep(own, Adam(), (1, 1), 20, {"lr": [0.1, 0.2]}, scheduler=client)
            )
            spread = cluster.spread
            monkeypatch.setattr(cluster, "spread", lambda s, part, *rest: spread(
                s, stop_once(part, str(tmp_path / "killed")), *rest))  # fmt: skip
            again = sweep(surfaces.Rosenbrock(), SGD(), (-1.2, 1), 50, axes, scheduler=client, **call)
        assert (tmp_path / "killed").exists() and plain.identical(again)


@pytest.mark.filterwarnings("ignore")
def test_pages_use_the_cluster_of_the_environment_or_do_without_it(monkeypatch, caplog):
    distributed = pytest.importorskip("distributed")
    from optviz.maps.ends import lane_map
    from optviz.sweeps import cluster

    def picture():
        return lane_map(surfaces.Beale(), Adam(), (1, 1), 40, ["lr", "beta1"], np.geomspace(0.01, 1, 7),
                        np.linspace(0, 0.9, 6), 1e-3, 0.0)  # fmt: skip

    gone: list[int] = []
    spread = cluster.spread

    def failing(client, part, grid, begins, size, patience):
        for at, found in spread(client, part, grid, begins, size, patience):
            gone.append(at)
            yield at, found
            if len(gone) > 2:
                raise OSError("the network is down")

    here = picture()
    monkeypatch.setattr(cluster, "spread", failing)
    with distributed.LocalCluster(
        processes=False, n_workers=1, threads_per_worker=1, dashboard_address=None
    ) as machines:
        monkeypatch.setenv(cluster.VARIABLE, "not set yet")
        cluster.prepare(["app.py", "--scheduler", machines.scheduler_address])
        shared = cluster._of_process(machines.scheduler_address)
        wait_until(lambda: shared.client is not None)
        client = shared.client
        np.testing.assert_equal(picture(), here)
        assert not gone, "a picture that takes a moment stays here"
        monkeypatch.setattr(cluster, "WORTH", 0.0)
        for trips in (2, 3, 3):  # done there; lost on the way; not tried
            np.testing.assert_equal(picture(), here)
            assert len(gone) == trips
        client.close()
    monkeypatch.setenv(cluster.VARIABLE, "nobody://there")
    cluster.prepare([])
    said = lambda: [r.getMessage() for r in caplog.records if r.name == "optviz"]
    wait_until(lambda: len(said()) > 1)
    np.testing.assert_equal(picture(), here)
    failed, nobody = said()
    assert failed.endswith("failed (the network is down). Runs are computed here.")
    assert nobody == "No cluster answers at nobody://there: start one with 'dask scheduler'. Runs are computed here."


def wait_until(true, seconds=15.0):
    end = time.monotonic() + seconds
    while not true() and time.monotonic() < end:
        time.sleep(0.01)
    assert true()
