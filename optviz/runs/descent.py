"""The loop: walk an objective with a rule, one run or a thousand lanes at once."""

from __future__ import annotations

import dis
import math
from collections.abc import Callable, Sequence
from functools import lru_cache
from types import SimpleNamespace
from typing import Any

import numpy as np

from ..halt import look
from ..messages import refuse
from ..rules.given_schedules import as_schedule
from ..rules.rule import Rule
from ..trace.tracing import ARRAYS, FLOATS
from .trajectory import Trajectory, blank_after_divergence, side_by_side

MAX_STEPS = 1_000_000


def descend(
    objective: Any,
    rule: Any,
    start: Any,
    steps: int,
    *,
    clip: float | None = None,
    clip_norm: float | None = None,
    schedule: Any = None,
    noise: float = 0.0,
    seed: Any = 0,
    batches: Sequence[Any] | None = None,
) -> Trajectory:
    """Run one rule, or a list of rules side by side, for `steps` steps from `start`.

    Lanes come from arrays in the hyperparameters, from a `start` of shape (lanes, dim), or
    from an array of seeds; lengths must agree. Around any rule, in this order: normal `noise`
    of that standard deviation is added to the gradient (the same draws in every lane, unless
    each lane has its seed), values beyond +-`clip` are cut, the gradient's norm is cut to
    `clip_norm`. `batches` gives the sample indices of each step where the objective is a mean
    over data. `schedule` moves the learning rate: one of `optviz.rules.schedules`, a rate for every
    step, a function f(t) or f(lr, t) that gives the rate of step t = 1, 2, ..., or a scheduler
    of torch. Divergence is recorded, not raised: see `Trajectory.diverged`.

    Raises ValueError for a start of the wrong dimension, steps out of 1..1,000,000, lanes of
    different lengths, or a clip that is not positive.
    """
    steps = checked_steps(steps)
    around = Around(clip, clip_norm, schedule, noise, seed, batches, steps)
    rules = [rule] if not isinstance(rule, list | tuple) else list(rule)
    if not rules:
        refuse("descend", "needs at least one rule", rule, "pass a rule or a list of rules")
    parts = [_descend(objective, each, start, steps, around) for each in rules]
    return side_by_side(parts)


class Around:
    """What surrounds the rule: noise, clipping, the schedule and the batches."""

    def __init__(self, clip, clip_norm, schedule, noise, seed, batches, steps):
        for name, value in (("clip", clip), ("clip_norm", clip_norm)):
            if value is not None and not (_is_number(value) and value > 0):
                refuse("descend", f"needs a {name} above 0", value, "leave it out for no clipping")
        if not (_is_number(noise) and np.isfinite(noise) and noise >= 0):
            refuse("descend", "needs a noise of 0 or more", noise)
        if np.asarray(seed).dtype.kind not in "iu" or np.ndim(seed) > 1 or np.min(seed, initial=0) < 0:
            refuse("descend", "needs whole seeds of 0 or more, one or one a lane", seed)
        if batches is not None and len(batches) != steps:
            refuse("descend", f"needs one batch a step, {steps} of them", len(batches))
        self.clip, self.clip_norm, self.schedule = clip, clip_norm, as_schedule(schedule)
        self.clips = clip is not None or clip_norm is not None
        self.noise, self.seeds, self.batches = noise, np.atleast_1d(seed), batches

    def draws(self, steps: int, dim: int, lanes: int) -> np.ndarray | None:
        """Gradient noise, shape (steps, dim, lanes)."""
        if not self.noise:
            return None
        each = [np.random.default_rng(int(s)).standard_normal((steps, dim)) for s in self.seeds]
        with np.errstate(over="ignore"):  # a result: the lane is marked diverged
            return self.noise * np.broadcast_to(np.stack(each, axis=-1), (steps, dim, lanes))

    def batch(self, t: int):
        """The sample indices of step t, or None for all of the data."""
        return None if self.batches is None else self.batches[t - 1]

    def clip_gradient(self, raw: np.ndarray) -> tuple[np.ndarray, Any]:
        """The gradient (..., dim, lanes) after clipping, and the lanes (..., lanes) that it changed."""
        if not self.clips:
            return raw, False
        g = self.cut(raw)
        return g, (g != raw).any(axis=-2)

    def cut(self, g: np.ndarray) -> np.ndarray:
        """The gradient (..., dim, lanes) after clipping."""
        if self.clip is not None:
            g = np.minimum(np.maximum(g, -self.clip), self.clip)  # np.clip takes twice as long
        if self.clip_norm is not None:
            # torch.nn.utils.clip_grad_norm_ with its 1e-6: a cut norm ends just under the limit
            norm = np.sqrt((g * g).sum(axis=-2, keepdims=True))
            g = g * np.minimum(self.clip_norm / (norm + 1e-6), 1.0)
        return g


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)


def checked_steps(steps: Any) -> int:
    if isinstance(steps, bool) or not isinstance(steps, int | np.integer):
        refuse("descend", "needs a whole number of steps", steps)
    if not 1 <= steps <= MAX_STEPS:
        refuse("descend", f"needs steps from 1 to {MAX_STEPS:,}", int(steps),
               "every step is kept in memory; run longer walks in parts")  # fmt: skip
    return int(steps)


def _descend(objective, rule, start, steps, around) -> Trajectory:
    if not hasattr(objective, "dim") or not hasattr(objective, "array_gradient"):
        refuse("descend", "needs an objective", objective, "make one with optviz.objective")
    if not isinstance(rule, Rule) and not hasattr(rule, "walk"):
        refuse("descend", "needs a rule such as SGD(lr=0.1)", rule)
    x0 = _starts(objective, rule, start, around)
    if hasattr(rule, "walk"):
        return rule.walk(objective, x0, steps, around)
    if x0.shape[1] == 1 and not _inverts(type(rule).update):
        try:
            with np.errstate(all="ignore"):  # the mean over samples works on arrays
                return _one_lane(objective, rule, x0, steps, around)
        except (ArithmeticError, ValueError):
            pass  # a float operation without a float result: arrays give inf or nan instead
        except TypeError as trouble:  # Python's (-8.0)**1.5 is a complex number, which nothing after it takes
            if "complex" not in str(trouble):
                raise
    return _many_lanes(objective, rule, x0, steps, around)


@lru_cache(maxsize=256)
def _inverts(update: Callable) -> bool:
    """Whether an update has `~`, which makes -2 of Python's True where numpy's becomes False."""
    code = getattr(update, "__code__", None)
    return code is not None and any(step.opname == "UNARY_INVERT" for step in dis.get_instructions(code))


def _starts(objective, rule, start, around) -> np.ndarray:
    """The starts as an array (dim, lanes), after checking dimension and lane counts."""
    dim = objective.dim
    try:
        x0 = np.atleast_2d(np.asarray(start, dtype=float))
    except (TypeError, ValueError):
        refuse("descend", f"needs a start of {dim} numbers", start)
    if x0.ndim != 2 or x0.shape[1] != dim:
        refuse("descend", f"needs a start of {dim} numbers, one a variable, or one row of them a lane",
               start, "match the objective's variables")  # fmt: skip
    if not np.isfinite(x0).all():
        refuse("descend", "needs a finite start", start)
    own = len(getattr(objective, "objectives", [None]))
    sizes = {len(x0), rule.lanes(), around.seeds.size, own} - {1}
    if len(sizes) > 1:
        refuse("descend", "needs starts, hyperparameters and seeds of one length", sorted(sizes))
    return np.repeat(x0, max(sizes), axis=0).T.copy() if sizes and len(x0) == 1 else x0.T.copy()


def first_memory(rule: Rule, values: dict[str, Any], start: Sequence[Any], own: Any = None) -> dict[str, Any]:
    """What the carried terms begin with; `lr` among the values is the rate of the first step, `own` a coordinate."""
    points = {"x": start if own is None else own, **{f"x_{i + 1}": each for i, each in enumerate(start)}}
    return {k: {**points, **values}[v] if isinstance(v, str) else v for k, v in rule.memory.items()}


def _rates(rule: Rule, values, steps: int, around) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """The rates (steps, lanes), and what the schedule cycles, by the hyperparameter's name."""
    schedule = around.schedule
    cycled = schedule.cycled(rule)
    return schedule.rates(values.get("lr", 0.0), steps), {cycled: schedule.momenta(rule, steps)} if cycled else {}


def _one_lane(objective, rule, x0, steps, around) -> Trajectory:
    """One run with plain floats: about ten times faster than arrays of length one."""
    values = {k: v.item() if isinstance(v, np.ndarray) else v for k, v in rule.values().items()}
    rates, cycled = _rates(rule, values, steps, around)
    rate_list, h = rates[:, 0].tolist(), SimpleNamespace(**values)
    x = [float(v) for v in x0[:, 0]]
    coordinates = range(len(x))
    values |= {"lr": rate_list[0]} if "lr" in values else {}
    memories = [SimpleNamespace(**first_memory(rule, values, x, own)) for own in x]
    hessian = objective.float_hessian() if rule.curvature else None
    draws = around.draws(steps, len(x), 1)
    noise = None if draws is None else draws[:, :, 0].tolist()
    reshape = _gradient_hook(draws, around)
    given = reshape is not None or rule.probe is not None
    gradient = objective.float_gradient()
    clipped = np.zeros((steps, 1), dtype=bool)
    path, updates, raw, applied, kept = [x], [], [], [], []
    for t in range(1, steps + 1):
        look()
        if around.batches is not None:
            gradient = objective.float_gradient(around.batches[t - 1])
        h.lr = rate_list[t - 1]
        for name, momenta in cycled.items():
            setattr(h, name, float(momenta[t - 1]))
        here = x if rule.stand is None else standing(rule, h, memories, x)
        g = gradient(*here)
        raw.append(g)
        if rule.probe is not None:
            felt = g if noise is None else [a + b for a, b in zip(g, noise[t - 1], strict=True)]
            g = gradient(*rule.probe(h, here, felt, FLOATS))
        if reshape is not None:
            g, clipped[t - 1] = reshape(t, g)
        if given:
            applied.append(g)
        step, named = _float_step(rule, h, memories, x, g, t, hessian)
        kept.append(named)
        x = [x[i] + step[i] for i in coordinates]
        path.append(x)
        updates.append(step)
        if not all(map(math.isfinite, x)):
            break
    run = _gather(path, updates, raw, kept, steps)
    handed = _padded(applied, steps, len(x)) if applied else None
    return _finished(objective, *run, rates, clipped, around, handed, cycled)


def standing(rule, h, memories, x):
    """Where a rule takes its gradient, of floats, where that is not at x."""
    if rule.coupled:
        return rule.stand(h, memories[0], x)
    return [rule.stand(h, memory, each) for memory, each in zip(memories, x, strict=True)]


def _float_step(rule, h, memories, x, g, t, hessian):
    """One step of floats: the step of each coordinate, and the named terms of each."""
    n = len(x)
    if hessian is not None:
        bends = hessian(*x)
        for i, memory in enumerate(memories):
            memory.H = bends[i * n + i]
    if rule.coupled:
        if hessian is not None:
            memories[0].H = [bends[i * n : i * n + n] for i in range(n)]
        named: dict[str, float] = {}
        step = rule.update(h, memories[0], x, g, t, keeper(named), FLOATS)
        memories[0].__dict__.update(named)
        return list(step), [named] * n
    steps, terms = [], []
    for i, memory in enumerate(memories):
        named = {}
        steps.append(rule.update(h, memory, x[i], g[i], t, keeper(named), FLOATS))
        memory.__dict__.update(named)
        terms.append(named)
    return steps, terms


def keeper(named: dict[str, Any]) -> Callable:
    def let(name, value):
        named[name] = value
        return value

    return let


def _gradient_hook(draws, around) -> Callable | None:
    """Noise and clipping of one lane's gradient, or None where there is neither."""
    if draws is None and not around.clips:
        return None

    def hook(t, g):
        column = np.array(g, dtype=float)[:, None]
        if draws is not None:
            column = column + draws[t - 1]
        column, cut = around.clip_gradient(column)
        return column[:, 0].tolist(), cut

    return hook


def _gather(path, updates, raw, kept, steps):
    """Lists of floats as arrays of one lane; steps after a divergence are NaN."""
    dim, names = len(path[0]), list(kept[0][0])
    values = np.full((steps, 1, dim, len(names)), np.nan)
    values[: len(kept), 0] = [[[named[n] for n in names] for named in step] for step in kept]
    terms = {name: values[..., k] for k, name in enumerate(names)}
    x = _padded(path, steps + 1, dim)
    return x, _padded(updates, steps, dim), _padded(raw, steps, dim), terms


def _padded(rows, length: int, dim: int) -> np.ndarray:
    out = np.full((length, 1, dim), np.nan)
    out[: len(rows), 0] = rows
    return out


def _many_lanes(objective, rule, x0, steps, around) -> Trajectory:
    """All lanes at once, as arrays of shape (dim, lanes)."""
    dim, lanes = x0.shape
    # numpy's floats divide by zero without raising, as arrays do
    values = {k: np.float64(v) if isinstance(v, float) else v for k, v in rule.values().items()}
    rates, cycled = _rates(rule, values, steps, around)
    rate_of = rates if rates.shape[1] > 1 else rates[:, 0].tolist()
    h = SimpleNamespace(**values)
    memory = SimpleNamespace(**first_memory(rule, {**values, "lr": rate_of[0]}, x0))
    hessian = objective.array_hessian() if rule.curvature else None
    draws = around.draws(steps, dim, lanes)
    gradient = objective.array_gradient()
    x, raw, updates = (np.empty((n, dim, lanes)) for n in (steps + 1, steps, steps))
    applied = np.empty_like(raw) if draws is not None or around.clips or rule.probe is not None else None
    given = raw if rule.probe is None else np.empty_like(raw)  # before it is clipped
    terms: dict[str, np.ndarray] = {}
    x[0] = x0
    with np.errstate(all="ignore"):  # overflow and nan are results: the lane is marked diverged
        for t in range(1, steps + 1):
            look()
            here, g = x[t - 1], raw[t - 1]
            if around.batches is not None:
                gradient = objective.array_gradient(around.batches[t - 1])
            h.lr = rate_of[t - 1]
            for name, momenta in cycled.items():
                setattr(h, name, momenta[t - 1])
            place = here if rule.stand is None else rule.stand(h, memory, here)
            _fill(g, gradient(*place))
            if draws is not None:
                g = g + draws[t - 1]
            if rule.probe is not None:
                _fill(given[t - 1], gradient(*rule.probe(h, place, g, ARRAYS)))
                g = given[t - 1]
                if draws is not None:
                    g += draws[t - 1]
            if around.clips:
                g = around.cut(g)
            if applied is not None:
                applied[t - 1] = g
            named: dict[str, Any] = {}
            if hessian is not None:
                bends = _square(hessian(*here), dim, lanes)
                memory.H = bends if rule.coupled else np.stack([bends[i][i] for i in range(dim)])
            step = rule.update(h, memory, here, g, t, keeper(named), ARRAYS)
            memory.__dict__.update(named)
            _fill(updates[t - 1], step)
            np.add(here, updates[t - 1], out=x[t])
            for name, value in named.items():
                if name not in terms:
                    terms[name] = np.empty((steps, dim, lanes))
                terms[name][t - 1] = value
        _, clipped = around.clip_gradient(given if given is not raw else raw if draws is None else raw + draws)
    turned = [np.ascontiguousarray(a.swapaxes(1, 2)) for a in (x, updates, raw)]
    if applied is not None:
        applied = np.ascontiguousarray(applied.swapaxes(1, 2))
    terms = {name: np.ascontiguousarray(a.swapaxes(1, 2)) for name, a in terms.items()}
    clipped = np.broadcast_to(clipped, (steps, lanes)).copy()
    return _finished(objective, *turned, terms, rates, clipped, around, applied, cycled)


def _fill(rows: np.ndarray, entries: Any) -> None:
    """Store one entry a coordinate, each an array over lanes or one number for all."""
    if isinstance(entries, np.ndarray):
        rows[...] = entries
    else:
        for row, entry in zip(rows, entries, strict=True):
            row[...] = entry


def _square(entries, dim: int, lanes: int):
    rows = [np.broadcast_to(np.asarray(e, dtype=float), (lanes,)) for e in entries]
    return [rows[i * dim : i * dim + dim] for i in range(dim)]


def _finished(objective, x, updates, raw, terms, rates, clipped, around, applied, cycled) -> Trajectory:
    """Add losses and divergence to the arrays of a run."""
    lanes = x.shape[1]
    loss = objective.value(*np.moveaxis(x, 2, 0))
    rates = np.broadcast_to(rates, (len(updates), lanes)).copy()
    batch_loss = None
    if around.batches is not None:
        batch_loss = np.stack([
            objective.value_of(batch, *x[t].T) for t, batch in enumerate(around.batches)
        ])  # fmt: skip
    arrays = {"updates": updates, "gradients": raw, **terms, **({} if applied is None else {"applied": applied})}
    diverged = blank_after_divergence(arrays, x, loss)
    return Trajectory(x, loss, updates, raw, rates, clipped, diverged, terms, batch_loss, applied, cycled)
