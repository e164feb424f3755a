"""How fast grids of runs are: ratios against plain torch and against torch.optim, in one process.

    python benchmarks/sweep.py

Every time is the best of several. The exit status says whether all targets are met.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPTVIZ_KERNELS", "now")  # none is timed before its kernel is there

import platform
import sys
import time
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
import torch
from compute import best
from numba import njit

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


@njit(nogil=True, error_model="numpy")
def walk_by_hand(rates, momenta, out):
    """The final losses of lanes, as one would write it for numba: chunks whose numbers stay in the cache."""
    chunk = 256
    q = np.empty(6 * chunk)
    for at in range(0, rates.size, chunk):
        lanes = min(chunk, rates.size - at)
        for i in range(lanes):
            q[i], q[chunk + i], q[2 * chunk + i], q[3 * chunk + i] = START[0], START[1], 0.0, 0.0
            q[4 * chunk + i], q[5 * chunk + i] = rates[at + i], momenta[at + i]
        for _ in range(STEPS):
            for i in range(lanes):
                bx = q[5 * chunk + i] * q[2 * chunk + i] + 0.2 * q[i]
                by = q[5 * chunk + i] * q[3 * chunk + i] + 4.0 * q[chunk + i]
                q[i] -= q[4 * chunk + i] * bx
                q[chunk + i] -= q[4 * chunk + i] * by
                q[2 * chunk + i], q[3 * chunk + i] = bx, by
        for i in range(lanes):
            out[at + i] = 0.1 * q[i] * q[i] + 2 * q[chunk + i] * q[chunk + i]


def by_hand(threads: int) -> np.ndarray:
    """The map by the kernel written by hand, on threads."""
    out = np.empty(SIDE * SIDE)
    rates, momenta = np.repeat(RATES, SIDE), np.tile(MOMENTA, SIDE)
    cuts = [slice(*ends) for ends in pairwise(np.linspace(0, SIDE * SIDE, threads + 1).astype(int))]
    if threads == 1:
        walk_by_hand(rates, momenta, out)
    else:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(lambda cut: walk_by_hand(rates[cut], momenta[cut], out[cut]), cuts))
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
    np.testing.assert_allclose(ours.ravel(), by_hand(1), rtol=1e-9)
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
    ours = hand = float("inf")
    for _ in range(9):  # in turns, so that all meet the same load
        for threads, block in sizes:
            torch.set_num_threads(threads)
            plain[threads, block] = min(plain[threads, block], seconds(lambda b=block: plain_torch(b)))
        for threads in (1, os.cpu_count() or 1):
            hand = min(hand, seconds(lambda t=threads: by_hand(t)))
        ours = min(ours, seconds(momentum_map))
    torch.set_num_threads(1)
    cells = 200
    looped = torch_loop(cells) / cells * SIDE * SIDE
    fastest = min(plain, key=plain.get)
    print("plain torch, ms by (threads, block):", {k: round(1e3 * v) for k, v in plain.items()})
    rows = [
        (f"{SIDE} x {SIDE} x {STEPS} momentum, times plain torch {fastest}", ours / plain[fastest], 1 / 3, "x"),
        (f"{SIDE} x {SIDE} x {STEPS} momentum, times a kernel written by hand", ours / hand, 1.5, "x"),
        (f"{SIDE} x {SIDE} x {STEPS} momentum, torch.optim loop over it", -looped / ours, -1000, "x"),
        ("100 x 100 x 500 Adam on Rosenbrock", 1e-3 * best(adam_lanes, 7), 0.027, "s"),
        ("basins, 200 x 200 x 300 on Himmelblau", 1e-3 * best(basin_picture, 7), 0.02, "s"),
    ]
    print(f"the map takes {1e3 * ours:.1f} ms, by hand {1e3 * hand:.1f} ms")
    print(f"the loop over torch.optim takes {looped:.0f} s ({cells} cells timed)")
    for side in (512, 4096):
        most, result = peak(side)
        print(f"peak memory of a sweep over {side}^2 cells: {most:.1f} MiB, of them {result:.1f} its result")
    failed = False
    for name, value, target, unit in rows:
        met = value <= target
        failed |= not met
        goal = f"{'<=' if target > 0 else '>='} {abs(target):.3g} {unit}"
        print(f"{name:62} {abs(value):9.3f} {unit}  {goal}{'' if met else '  MISSED'}")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
