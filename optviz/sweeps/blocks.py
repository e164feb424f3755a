"""A sweep's lanes, block by block: any part of it can run anywhere and give the same numbers."""

from __future__ import annotations

import math
import os
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..menus import arguments_of
from ..objectives.minima import Basin
from ..rules.rule import Rule
from ..runs.descent import descend
from . import kernel_walk, numpy_walk
from .plans import Found, Plan

BLOCK = 2**14  # lanes of a block: some of its rows fit a core's cache, and a row takes longer than a call of numpy
AT_ONCE = 2**28  # steps of lanes in one call of a kernel, which nothing can stop: under a second
PER_NUMBER = 4e-10  # seconds for an operation on a number of a block, on one core
PER_LANE = 6e-11  # the same of a kernel
ONE_BY_ONE = 1e-4  # seconds for a step that only torch can take
ALONE = 0.005  # seconds of work below which threads take longer to meet than they save
ON_DEVICE = 2**20  # lanes; a call takes as long as many numbers do
AROUND = ("clip", "clip_norm", "seed")


@dataclass(frozen=True)
class Want:
    """What is measured of every lane."""

    names: tuple[str, ...]
    tolerance: float
    lowest: float
    basin: Basin | None
    reached: bool  # the lowest loss is each lane's own, that of the minimum it reaches


@dataclass
class Grid:
    """Which lane runs with what: all that a worker needs to run any part of the sweep."""

    axes: dict[str, np.ndarray]
    start: np.ndarray
    steps: int
    names: tuple[str, ...]  # of the objective's variables
    program: Any
    around: Any
    direct: Any = None  # objective, rule and options, where every lane is a run of its own
    want: Any = None
    block: int = 1
    device: str | None = None
    radius: float = 0.0  # within which the loss is sure to be finite
    paired: bool = False  # whether the axes run side by side, a lane for each of their places
    plans: dict = field(default_factory=dict)  # with losses at every step, and without
    shape: tuple[int, ...] = field(init=False)

    def __post_init__(self):
        sizes = tuple(values.size for values in self.axes.values())
        self.shape = sizes[:1] if self.paired else sizes

    def __getstate__(self):
        return {**self.__dict__, "plans": {}}  # a worker has its own

    @property
    def lanes(self) -> int:
        return math.prod(self.shape)

    def seconds(self) -> float:
        """About how long the sweep takes here, to a factor of three."""
        return self.by_numpy() * (PER_LANE / PER_NUMBER if self.kernel() else 1.0)

    def by_numpy(self) -> float:
        """About how long it takes without a kernel."""
        each = ONE_BY_ONE if self.program is None else PER_NUMBER * self.program.size / (os.cpu_count() or 1)
        return self.lanes * self.steps * each

    def kernel(self) -> bool:
        """Whether there is a compiled kernel for it; it is begun where there is none."""
        timed = "steps_to" in self.want.names and not self.want.reached
        return self.program is not None and kernel_walk.compiled(self.plan(timed)) is not None

    def plan(self, timed: bool) -> Plan:
        """What all blocks share, with losses at every step or without."""
        if timed not in self.plans:
            self.plans[timed] = Plan(self, timed)
        return self.plans[timed]

    def turn(self, workers: int) -> int:
        """The lanes of a part for threads: parts of one size, so that none waits for another."""
        if self.device:
            return self.block
        turns = math.ceil(self.lanes / (self.block * workers))
        return max(1, math.ceil(self.lanes / (turns * workers)))

    def share(self, cores: int) -> int:
        """The lanes of a part for a cluster: some parts for each of its cores, of 16 blocks at most."""
        if self.program is None:
            return math.ceil(self.lanes / (4 * max(cores, 1)))
        return min(16 * self.block, math.ceil(self.lanes / (2 * max(cores, 1))))

    def along(self, name: str, values: np.ndarray, at: int, stop: int) -> np.ndarray:
        """What each lane from `at` to `stop` has of values along an axis; of no axis, all have the first."""
        if name not in self.axes:
            return np.repeat(values[:1], stop - at)
        if self.paired:
            return values[at:stop]
        stride = math.prod(self.shape[list(self.axes).index(name) + 1 :])
        first, last = at // stride, (stop - 1) // stride + 1  # each value holds for so many lanes
        laps = np.tile(values, (last - 1) // values.size - first // values.size + 1)
        turns = laps[first % values.size :][: last - first]
        return turns if stride == 1 else np.repeat(turns, stride)[at - first * stride :][: stop - at]

    def values(self, at: int, stop: int) -> dict[str, np.ndarray]:
        """What each lane from `at` to `stop` has of its own, by axis."""
        return {name: self.along(name, values, at, stop) for name, values in self.axes.items()}

    def starts(self, own: Mapping[str, np.ndarray]) -> list[Any]:
        """The starts of these lanes: by coordinate a number, or one a lane."""
        return [own.get(n, x) for n, x in zip(self.names, self.start, strict=True)]


def fitting(grid: Grid) -> int:
    """How many lanes make a block that is worked on in a core's cache, or that keeps a device busy."""
    return ON_DEVICE if grid.device else max(min(BLOCK, AT_ONCE // grid.steps), 256)


def workers_for(grid: Grid, threads: int | None) -> int:
    """How many threads share a sweep."""
    return threads or (1 if grid.seconds() < ALONE else os.cpu_count() or 1)


TYPES = {"diverged": np.int32, "minimum": np.int32}


def parts(grid: Grid, scheduler: Any, threads: int | None) -> Iterator:
    """Where each part begins, and its measures, as they are done.

    A scheduler that is a function is asked whether so many seconds of work are worth a cluster;
    what that one leaves is done here.
    """
    offered, seconds = callable(scheduler), grid.seconds()
    if offered:
        scheduler = scheduler(seconds)
    workers = workers_for(grid, threads)
    if scheduler is None:
        size = grid.turn(workers)
        yield from _here(grid, range(0, grid.lanes, size), size, workers)
        return
    from . import cluster

    with cluster.reached(scheduler) as client:
        size = grid.share(cluster.cores(client))
        left = dict.fromkeys(range(0, grid.lanes, size))
        patience = cluster.PATIENCE + 3 * seconds if offered else None
        try:
            for at, part in cluster.spread(client, _part, grid, list(left), size, patience):
                del left[at]
                yield at, part
        except Exception as trouble:  # whatever may happen on other machines
            if not offered:
                raise
            cluster.give_up(trouble)
    yield from _here(grid, list(left), size, workers)


def _here(grid: Grid, begins: Sequence[int], size: int, workers: int) -> Iterator:
    count = min(workers, len(begins))
    if count < 2 or grid.device:
        yield from ((at, _part(grid, at, size)) for at in begins)
        return
    with ThreadPoolExecutor(count) as pool:
        waiting: deque = deque()
        for at in begins:
            waiting.append((at, pool.submit(_part, grid, at, size)))
            if len(waiting) > 4 * count:  # what is done ahead takes memory
                begin, part = waiting.popleft()
                yield begin, part.result()
        yield from ((begin, part.result()) for begin, part in waiting)


def _part(grid: Grid, at: int, size: int) -> dict[str, np.ndarray]:
    """The measures of `size` lanes from `at` on, block by block."""
    stop = min(at + size, grid.lanes)
    run = _direct if grid.program is None else _block
    with np.errstate(all="ignore"):  # overflow and nan are results: the lane is marked diverged
        parts = [run(grid, begin, min(begin + grid.block, stop)) for begin in range(at, stop, grid.block)]
    return parts[0] if len(parts) == 1 else {n: np.concatenate([p[n] for p in parts]) for n in parts[0]}


def _block(grid: Grid, at: int, stop: int) -> dict[str, np.ndarray]:
    lanes, want = stop - at, grid.want
    timed = "steps_to" in want.names
    bound = np.full(lanes, want.lowest + want.tolerance) if timed and not want.reached else None
    ends = _ends(want, grid.steps, walked(grid, at, stop, bound))
    if timed and want.reached:  # what to reach is known once the runs have ended
        ends = _ends(want, grid.steps, walked(grid, at, stop, want.basin.level(ends["minimum"]) + want.tolerance))
    return {name: ends[name] for name in want.names}


def walked(grid: Grid, at: int, stop: int, bound: np.ndarray | None) -> Found:
    """What has become of a block's lanes: by a kernel where there is one, else by calls of numpy."""
    plan = grid.plan(bound is not None)
    compiled = kernel_walk.compiled(plan)
    if compiled is not None:
        return kernel_walk.walked(plan, compiled, at, stop, bound)
    return numpy_walk.walked(block(plan, at, stop), bound)


def block(plan: Plan, at: int, stop: int) -> numpy_walk.Block:
    """Lanes for calls of numpy, or of torch on a device."""
    if not plan.grid.device:
        return numpy_walk.Block(plan, at, stop)
    from .torch_block import Torch

    return numpy_walk.Block(plan, at, stop, Torch(plan.grid.device))


def _ends(want: Want, steps: int, found: Found) -> dict[str, Any]:
    """What is measured of the lanes, and what the measures are worked out from."""
    gone = (found.diverged > 0) & (found.diverged < steps)
    loss = np.where(gone, math.nan, found.loss) if gone.any() else found.loss
    ends: dict[str, Any] = {"loss": loss, "first": found.first, "diverged": found.diverged, "steps_to": found.reached}
    if want.basin is not None:
        ends["minimum"] = want.basin.reached(np.where(found.diverged > 0, math.nan, found.x))
    if "log_loss" in want.names:
        reached = want.basin if want.reached else None
        lowest = want.lowest if reached is None else reached.level(ends["minimum"])
        ends["log_loss"] = np.log10(loss - lowest)
    return ends


def _direct(grid: Grid, at: int, stop: int) -> dict[str, np.ndarray]:
    """Lanes one by one: rules that only torch or plain numbers can run."""
    objective, rule, settings = grid.direct
    own, rows = grid.values(at, stop), []
    starts = [np.broadcast_to(x, stop - at) for x in grid.starts(own)]
    for k in range(stop - at):
        mine = {n: v[k].item() for n, v in own.items()}
        around = {**settings, **{n: v for n, v in mine.items() if n in AROUND}}
        rows.append(_one_run(grid, _with(objective, mine), _with(rule, mine), [x[k].item() for x in starts], around))
    return {n: np.array([row[n] for row in rows], dtype=TYPES.get(n, float)) for n in grid.want.names}


def _with(member: Any, own: Mapping[str, Any]) -> Any:
    """The rule or objective with a lane's own values."""
    if hasattr(member, "cls"):
        changed = {n: v for n, v in own.items() if n in member.settings}
        return type(member)(member.cls, **{**member.settings, **changed}) if changed else member
    names = member.hyperparameters() if isinstance(member, Rule) else getattr(member, "shape_names", list)()
    changed = {n: v for n, v in own.items() if n in names}
    if not changed:
        return member
    return type(member)(**{**arguments_of(member), **changed})


def _one_run(grid, objective, rule, start, around) -> dict[str, Any]:
    want = grid.want
    run = descend(objective, rule, start, grid.steps, **around)
    losses = run.loss[:, 0]
    ends: dict[str, Any] = {"loss": losses[-1], "first": losses[0], "diverged": run.diverged[0]}
    level: Any = want.lowest
    if want.basin is not None:
        ends["minimum"] = want.basin.reached(
            run.final.T if not run.diverged[0] else np.full((objective.dim, 1), np.nan)
        )[0]
        level = want.basin.level(ends["minimum"]) if want.reached else level
    close = np.flatnonzero(losses[: run.diverged[0] or None] <= level + want.tolerance)
    ends["steps_to"] = close[0] if close.size else math.nan
    with np.errstate(all="ignore"):
        ends["log_loss"] = np.log10(losses[-1] - level)
    return ends
