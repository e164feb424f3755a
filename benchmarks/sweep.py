"""How fast grids of runs are: ratios against plain torch and against torch.optim, in one process.

    python benchmarks/sweep.py

Every time is the best of several. The exit status says whether all targets are met.
"""

from __future__ import annotations

import os
import platform
import sys
import time
import tracemalloc

import numpy as np
import torch
from compute import best

from optviz import SGD, Adam, basins, descend, surfaces, sweep

SIDE, STEPS, START = 512, 50, (-5.0, -2.0)
RATES, MOMENTA = np.linspace(0.001, 1.0, SIDE), np.linspace(0.0, 0.99, SIDE)
AXES = {"lr": RATES, "momentum": MOMENTA}


def plain_torch(block: int) -> torch.Tensor:
    """The map of final losses as one would write it with torch, in blocks of this many lanes."""
    rates = torch.tensor(RATES).repeat_interleave(SIDE)
    momenta = torch.tensor(MOMENTA).repeat(SIDE)
    out = torch.empty(SIDE * SIDE, dtype=torch.float64)
    for at in range(0, SIDE * SIDE, block):
        lr, m = rates[at : at + block], momenta[at : at + block]
        x, y = torch.full_like(lr, START[0]), torch.full_like(lr, START[1])
        bx, by = torch.zeros_like(lr), torch.zeros_like(lr)
        for _ in range(STEPS):
            bx.mul_(m).add_(0.2 * x)
            by.mul_(m).add_(4.0 * y)
            x.sub_(lr * bx)
            y.sub_(lr * by)
        out[at : at + block] = 0.1 * x * x + 2 * y * y
    return out


def torch_loop(cells: int) -> float:
    """Seconds that torch.optim.SGD takes for this many cells, one after the other."""
    random = np.random.default_rng(0)
    start = time.perf_counter()
    for lr, m in zip(random.choice(RATES, cells), random.choice(MOMENTA, cells), strict=True):
        point = torch.tensor(START, dtype=torch.float64, requires_grad=True)
        optimizer = torch.optim.SGD([point], lr=float(lr), momentum=float(m))
        for _ in range(STEPS):
            optimizer.zero_grad()
            (0.1 * point[0] ** 2 + 2 * point[1] ** 2).backward()
            optimizer.step()
    return time.perf_counter() - start


def momentum_map():
    return sweep(surfaces.Quadratic(), SGD(), START, STEPS, AXES)


def adam_lanes():
    axes = {"lr": np.geomspace(1e-3, 1, 100), "beta1": np.linspace(0, 0.99, 100)}
    return sweep(surfaces.Rosenbrock(), Adam(), (-1.2, 1), 500, axes)


def basin_picture():
    return basins(surfaces.Himmelblau(), SGD(lr=0.01, momentum=0.5), size=200, steps=300)


def seconds(function) -> float:
    """How long a call takes, once the threads of the call before have stopped: OpenMP's wait busily for more."""
    time.sleep(0.05)
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def check_equal() -> None:
    """Both sides compute the same, or the ratios mean nothing."""
    ours = momentum_map().values
    np.testing.assert_allclose(ours.ravel(), plain_torch(65536).numpy(), rtol=1e-9)
    for i, j in ((0, 0), (200, 100), (511, 511)):
        run = descend(surfaces.Quadratic(), SGD(lr=RATES[i], momentum=MOMENTA[j]), START, STEPS)
        assert ours[i, j] == run.loss[-1, 0]


def peak(side: int) -> tuple[float, float]:
    """MiB of arrays at the peak of a sweep, and of its result alone."""
    axes = {"lr": np.linspace(0.001, 1, side), "momentum": np.linspace(0, 0.99, side)}
    tracemalloc.start()
    result = sweep(surfaces.Quadratic(), SGD(), START, 5, axes)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return most / 2**20, result.nbytes / 2**20


def machine() -> str:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{os.cpu_count()} cores ({platform.machine()}), {memory:.0f} GiB, load {os.getloadavg()[0]:.1f}, "
        f"Python {platform.python_version()}, numpy {np.__version__}, torch {torch.__version__}"
    )


def main() -> None:
    print(machine())
    check_equal()
    sizes = [(threads, block) for threads in (1, os.cpu_count() or 1) for block in (8192, 32768, 65536, SIDE * SIDE)]
    plain = dict.fromkeys(sizes, float("inf"))
    ours = float("inf")
    for _ in range(9):  # in turns, so that all meet the same load
        for threads, block in sizes:
            torch.set_num_threads(threads)
            plain[threads, block] = min(plain[threads, block], seconds(lambda b=block: plain_torch(b)))
        ours = min(ours, seconds(momentum_map))
    torch.set_num_threads(1)
    cells = 200
    looped = torch_loop(cells) / cells * SIDE * SIDE
    fastest = min(plain, key=plain.get)
    print("plain torch, ms by (threads, block):", {k: round(1e3 * v) for k, v in plain.items()})
    rows = [
        (f"{SIDE} x {SIDE} x {STEPS} momentum, times plain torch {fastest}", ours / plain[fastest], 1.5, "x"),
        (f"{SIDE} x {SIDE} x {STEPS} momentum, torch.optim loop over it", -looped / ours, -1000, "x"),
        ("100 x 100 x 500 Adam on Rosenbrock", 1e-3 * best(adam_lanes, 7), 0.3, "s"),
        ("basins, 200 x 200 x 300 on Himmelblau", 1e-3 * best(basin_picture, 7), 0.5, "s"),
    ]
    print(f"the map takes {1e3 * ours:.0f} ms, the loop over torch.optim {looped:.0f} s ({cells} cells timed)")
    for side in (512, 4096):
        most, result = peak(side)
        print(f"peak memory of a sweep over {side}^2 cells: {most:.1f} MiB, of them {result:.1f} its result")
    failed = False
    for name, value, target, unit in rows:
        met = value <= target
        failed |= not met
        goal = f"{'<=' if target > 0 else '>='} {abs(target)} {unit}"
        print(f"{name:62} {abs(value):9.2f} {unit}  {goal}{'' if met else '  MISSED'}")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
