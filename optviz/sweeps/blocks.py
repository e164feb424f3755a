"""A sweep's lanes, block by block: any part of it can run anywhere and give the same numbers."""

from __future__ import annotations

import math
import os
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np

from ..objectives.minima import Basin
from ..rules.rule import Rule
from ..runs.descent import descend
from .kernel_walk import Call, Found, plan
from .rows import Block, Drawn

CACHE = 2**17  # numbers of a block that is at work: 1 MiB, which a core has to itself
SHARED = 2**17  # lanes of a block where threads share a sweep: they wait for each other at every call on one
COMPILED = 2**15  # lanes of a block for a kernel, which keeps little of each
AT_ONCE = 2**28  # steps of lanes in one call of a kernel, which nothing can stop: under a second
PER_NUMBER = 4e-10  # seconds for an operation on a number of a block, on one core
PER_LANE = 6e-11  # the same of a kernel
FEW = 4  # cuts: with more, the blocks would be small
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
    order: tuple[int, ...]  # the axes from the slowest to the fastest lane
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
    cuts: Sequence[int] = ()  # lanes at which a block ends, as those beyond choose otherwise once and for all
    spare: list = field(default_factory=list)  # memory of blocks that are done
    plans: dict = field(default_factory=dict)  # of its kernels
    shape: tuple[int, ...] = field(init=False)

    def __post_init__(self):
        self.shape = tuple(self.axes[list(self.axes)[k]].size for k in self.order)

    def __getstate__(self):
        return {**self.__dict__, "plans": {}}  # a worker has kernels of its own

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
        return plan(self, "steps_to" in self.want.names and not self.want.reached) is not None

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

    def values(self, at: int, stop: int) -> dict[str, np.ndarray]:
        """What each lane from `at` to `stop` has of its own, by axis."""
        names, own, stride = list(self.axes), {}, self.lanes
        for k, size in zip(self.order, self.shape, strict=True):
            stride //= size
            first, last = at // stride, (stop - 1) // stride + 1
            whole = np.tile(self.axes[names[k]], -(-last // size) - first // size)
            values = whole[first % size : first % size + last - first]
            wide = values if stride == 1 else np.repeat(values, stride)
            own[names[k]] = wide[at - first * stride : stop - first * stride]
        return own

    def turns(self) -> dict[str, tuple[int, int]]:
        """For how many lanes each value of an axis holds, and how many they are, by axis."""
        names, found, stride = list(self.axes), {}, self.lanes
        for k, size in zip(self.order, self.shape, strict=True):
            stride //= size
            found[names[k]] = (stride, size)
        return found

    def blocks(self, at: int, stop: int) -> list[tuple[int, int]]:
        """Where the blocks of these lanes begin and end."""
        cuts = [at, *(cut for cut in self.cuts if at < cut < stop), stop] if len(self.cuts) <= FEW else [at, stop]
        return [(a, min(a + self.block, last)) for a0, last in pairwise(cuts) for a in range(a0, last, self.block)]

    def starts(self, own: Mapping[str, np.ndarray]) -> list[Any]:
        """The starts of these lanes: by coordinate a number, or one a lane."""
        return [own.get(n, x) for n, x in zip(self.names, self.start, strict=True)]


def fitting(grid: Grid, threads: int | None, device: str | None) -> int:
    """How many lanes make a block that is worked on in a core's cache, or that keeps threads or a device busy."""
    if device:
        return ON_DEVICE
    if grid.program is None:
        return CACHE
    if grid.kernel():
        return max(min(COMPILED, AT_ONCE // grid.steps), 256)
    return SHARED if workers_for(grid, threads) > 1 else CACHE // grid.program.rows()


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
    ends = grid.blocks(at, stop)
    run = _direct if grid.program is None else _block
    with np.errstate(all="ignore"):  # overflow and nan are results: the lane is marked diverged
        parts = [run(grid, *end) for end in ends]
    return parts[0] if len(parts) == 1 else {n: np.concatenate([p[n] for p in parts]) for n in parts[0]}


def _block(grid: Grid, at: int, stop: int) -> dict[str, np.ndarray]:
    lanes, want = stop - at, grid.want
    timed = "steps_to" in want.names
    bound = np.full(lanes, want.lowest + want.tolerance) if timed and not want.reached else None
    ends = _walked(grid, at, stop, bound)
    if timed and want.reached:  # what to reach is known once the runs have ended
        ends = _walked(grid, at, stop, want.basin.level(ends["minimum"]) + want.tolerance)
    return {name: ends[name] for name in want.names}


def _walked(grid: Grid, at: int, stop: int, bound: np.ndarray | None) -> dict[str, np.ndarray]:
    """How a block's lanes end: by a kernel where there is one, else by calls of numpy."""
    planned = plan(grid, bound is not None)
    if planned is None:
        return _ends(grid.want, grid.steps, _Walk(grid, grid.values(at, stop), stop - at, bound).run())
    own = grid.values(at, stop) if planned.by_lane else {}
    call = Call(planned, own, (at, stop), bound, _draws(grid, own), _rates(grid, own))
    return _ends(grid.want, grid.steps, call.found())


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


class _Walk:
    """One block's way through its steps."""

    def __init__(self, grid: Grid, own: Mapping[str, np.ndarray], lanes: int, bound: np.ndarray | None):
        self.grid, self.lanes, self.bound = grid, lanes, bound
        varied = {n: v for n, v in own.items() if n in grid.program.varied}
        self.losses = bound is not None or not grid.program.traced
        if grid.device:
            from .torch_block import TorchBlock

            make: Any = partial(TorchBlock, device=grid.device)
        else:
            make = Block
        given = (grid.starts(own), lanes, _draws(grid, own), _rates(grid, own), self.losses, grid.radius, grid.spare)
        self.block = make(grid.program, varied, *given)
        self.diverged = np.zeros(lanes, dtype=np.int32)
        timed = lanes if bound is not None else 0
        self.reached = np.full(timed, math.nan)
        self.waiting = np.ones(timed, dtype=bool)  # for the loss to come within its bound

    def run(self) -> Found:
        """What has become of the lanes after the last step."""
        block, steps = self.block, self.grid.steps
        still = not self.grid.program.uses_t
        self.first = self._first() if "first" in self.grid.want.names else None
        self._look(0)
        t = every = 0  # of so many lanes is one asked whether it rests, of none at 0
        for t in range(1, steps + 1):
            if still and t % 32 == 0:
                every = max(1, self.lanes // 8)
            before = block.state(every) if every else None
            block.step(t)
            if self.bound is not None:
                self._arrivals(t - 1)
            if not block.inside() and not self._look(t):
                break  # no lane is left
            rests = before is not None and block.same(before, every)
            if rests and every == 1:
                break  # nothing moved, so nothing ever will
            every = int(rests)
        block.measure()
        if self.bound is not None:
            self._arrivals(steps)
        loss, x = block.numbers(block.F).copy(), block.numbers(block.X).copy()
        block.close()
        return Found(loss, x, self.first, self.diverged, self.reached, t)

    def _first(self) -> np.ndarray:
        self.block.measure()
        return self.block.numbers(self.block.F).copy()

    def _look(self, t: int) -> bool:
        """Mark the lanes that are no longer finite at step t; False where none is left."""
        block = self.block
        if t == 0 and block.inside():
            return True
        block.measure()
        loss, x = block.numbers(block.F), block.numbers(block.X)
        bad = ~(np.isfinite(loss) & np.isfinite(x).all(axis=0)) & (self.diverged == 0)
        if not bad.any():
            return True
        self.diverged[bad] = max(t, 1)
        alive = np.flatnonzero(self.diverged == 0)
        if alive.size == 0:
            return t == self.grid.steps
        if t < self.grid.steps:
            block.fill(np.flatnonzero(bad), int(alive[0]))
        return True

    def _arrivals(self, t: int) -> None:
        """Note the lanes whose loss came within its bound at step t."""
        new = (self.block.numbers(self.block.F) <= self.bound) & self.waiting & ~self._lost(t)
        if new.any():
            self.reached[new] = t
            self.waiting &= ~new

    def _lost(self, t: int) -> np.ndarray:
        return (self.diverged > 0) & (self.diverged <= t)


def _draws(grid: Grid, own: Mapping[str, np.ndarray]) -> Drawn | None:
    """The gradient noise of a block: one draw for all lanes, or one for each of its seeds."""
    around = grid.around
    if not around.noise:
        return None
    known, where = np.unique(own.get("seed", around.seeds), return_inverse=True)
    each = [np.random.default_rng(int(s)).standard_normal((grid.steps, len(grid.start))) for s in known]
    return Drawn(around.noise * np.stack(each, axis=-1), where if "seed" in own else None)


def _rates(grid: Grid, own: Mapping[str, np.ndarray]) -> Any:
    """The rate of every step, where a schedule moves it."""
    if not grid.program.rates:
        return None
    known, where = np.unique(own.get("lr", grid.program.lr), return_inverse=True)
    found = grid.around.schedule.rates(known, grid.steps)
    return Drawn(found[:, None], where) if grid.program.rates == "row" else found[:, 0]


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
    return type(member)(**{**{n: getattr(member, n) for n in names}, **changed})


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
