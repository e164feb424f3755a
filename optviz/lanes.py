"""Blocks of lanes: the programs of a rule on an objective, bound to arrays and run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np

from .descent import _first_memory
from .programs import FIXED, LATER, MATRIX, RECORD, ROW, SCALAR, Compiler, Line, Tape, Value, needed
from .ranges import safe_radius


class Program:
    """A rule on an objective, traced for blocks of lanes; picklable, so that it can travel.

    `varied` holds the values, by name, of what each lane has its own of: hyperparameters, the
    objective's shape parameters, `clip`, `clip_norm`. `rates` says that the loop hands over the rate of
    every step ("row": one a lane), `noise` that it hands over draws.
    """

    def __init__(self, objective: Any, rule: Any, varied: Mapping[str, np.ndarray], clips: Mapping[str, Any],
                 rates: str = "", noise: bool = False):  # fmt: skip
        self.objective, self.rule, self.varied = objective, rule, varied
        self.clips, self.rates, self.noise = clips, rates, noise
        self.traced = hasattr(objective, "traced") and not hasattr(objective, "x")
        self.dim, self.coupled = objective.dim, rule.coupled
        self.shapes = self._shapes()
        self.lines = {"first": self._line(True), "later": self._line(False), "look": self._look()}
        bare = {f"{n} bare": replace(self.lines[n], loss=None) for n in ("first", "later")}
        self.lines |= bare
        self.radius = safe_radius(self.lines["look"], {n: float(abs(v).max()) for n, v in varied.items()})
        self.lr = getattr(rule, "lr", 0.0)
        self._made: dict[tuple, tuple[Compiler, Callable]] = {}

    def __getstate__(self):
        gone = {"objective": None, "rule": None} if self.traced else {}
        return {**self.__dict__, "_made": {}, **gone}

    def _shapes(self) -> dict[str, int]:
        """The shape of each carried term, found by tracing until no step widens one."""
        self.shapes = {name: SCALAR for name in self.rule.memory}
        while True:
            found = {}
            for first in (True, False):
                line = self._line(first)
                for name, value in line.memory.items():
                    shape = line.tape.nodes[value.index].shape if isinstance(value, Value) else SCALAR
                    found[name] = max(found.get(name, 0), self.shapes[name], shape)
            if found == self.shapes:
                return found
            self.shapes = found

    def _line(self, first: bool) -> Line:
        tape, rule = Tape(), self.rule
        h = {n: self._given(tape, n, v) for n, v in rule.values().items()}
        carried = _first_memory(rule, h) if first else {n: tape.input(f"m_{n}", s) for n, s in self.shapes.items()}
        if self.rates:
            h["lr"] = tape.input("rate", ROW if self.rates == "row" else SCALAR)
        memory, named = SimpleNamespace(**carried), {}
        loss, g = self._gradient(tape)
        g = self._around(tape, g)
        x: Any = tape.input("X", MATRIX)
        if rule.coupled:
            x = [tape.input(f"X{k}", ROW) for k in range(self.dim)]
            g = [tape.row(g, k) for k in range(self.dim)]
            memory.H = self._hessian(tape)

        def let(name, value):
            named[name] = value
            return value

        t = 1 if first else tape.input("t", SCALAR)
        step = rule.update(SimpleNamespace(**h), memory, x, g, t, let, RECORD if first else LATER)
        steps = tuple(step) if isinstance(step, tuple | list) else (step,)
        return Line(tape, loss, steps, {n: named.get(n, carried[n]) for n in rule.memory})

    def _given(self, tape: Tape, name: str, value: Any) -> Any:
        if name in self.varied:
            return tape.input(name, ROW, FIXED)
        return np.float64(value) if isinstance(value, float) else value

    def _point(self, tape: Tape) -> list[Any]:
        shape = [self._given(tape, n, v) for n, v in zip(
            self.objective.shape_names(), self.objective.shape_values(), strict=True)]  # fmt: skip
        return [*(tape.input(f"X{k}", ROW) for k in range(self.dim)), *shape]

    def _gradient(self, tape: Tape) -> tuple[Any, Any]:
        if not self.traced:
            return None, tape.input("G", MATRIX)
        point = self._point(tape)
        loss = self.objective.traced.value.called(vars(RECORD), *point)[0]
        return loss, tape.stack(self.objective.traced.gradient.called(vars(RECORD), *point))

    def _hessian(self, tape: Tape) -> list[list[Any]]:
        if self.traced:
            flat = self.objective.traced.hessian.called(vars(RECORD), *self._point(tape))
        else:
            flat = [tape.input(f"H{k}", ROW) for k in range(self.dim**2)]
        return [flat[i * self.dim : (i + 1) * self.dim] for i in range(self.dim)]

    def _around(self, tape: Tape, g: Any) -> Any:
        """Noise and clipping as `descend` does them, in that order."""
        if self.noise:
            g = g + tape.input("Z", MATRIX)
        clips = {n: self._given(tape, n, v) for n, v in self.clips.items() if v is not None or n in self.varied}
        if "clip" in clips:
            g = np.minimum(np.maximum(g, -clips["clip"]), clips["clip"])
        if "clip_norm" in clips:
            rows = [tape.row(g, k) for k in range(self.dim)]
            square = rows[0] * rows[0]
            for row in rows[1:]:
                square = square + row * row
            g = g * np.minimum(clips["clip_norm"] / (np.sqrt(square) + 1e-6), 1.0)
        return g

    def _look(self) -> Line:
        tape = Tape()
        loss = self.objective.traced.value.called(vars(RECORD), *self._point(tape))[0] if self.traced else None
        return Line(tape, loss, (), {})

    def uses_t(self) -> bool:
        """Whether a later step depends on its number, so that a lane at rest may move again."""
        line = self.lines["later"]
        used = needed(line, lambda value: value)
        return any(line.tape.called(Value(line.tape, k)) in ("t", "rate", "Z") for k in used)

    def splits(self, name: str, values: np.ndarray) -> bool:
        """Whether a choice that a lane makes once and for all differs along this axis."""
        if name not in self.varied:
            return False
        given = {n: np.repeat(v[:1], values.size) for n, v in self.varied.items()} | {name: values}
        tape = self.lines["later"].tape
        found, _ = _fixed(tape, given, Numpy)
        asked = [n.args[0].index for n in tape.nodes if n.op == "where" and tape.nodes[n.args[0].index].when == FIXED]
        return any(found[i].any() and not found[i].all() for i in asked)

    def bound(self, name: str, e: dict[str, Any], values: Mapping[str, Any], xp: Any) -> Callable:
        """The step function of a line for these arrays."""
        line = self.lines[name]
        fixed, choices = _fixed(line.tape, values, xp)
        compiler, bind = self._compiled(name, choices, xp)
        for buffer, shape, truth in compiler.buffers:
            size = e["F"].shape if shape == ROW else e["X"].shape
            e[f"{name}_{buffer}"] = xp.empty(size, truth)
        here = {**e, **{b: e[f"{name}_{b}"] for b, _, _ in compiler.buffers}}
        here |= {place: fixed[index] for place, index in compiler.fixed.items()}
        e.setdefault("lane arrays", []).extend(here[p] for p in compiler.fixed if np.ndim(here[p]))
        return bind(here)

    def _compiled(self, name: str, choices: Mapping[int, bool], xp: Any) -> tuple[Compiler, Callable]:
        """A line's text made a function, once for the choices that all lanes of a block share."""
        key = (name, tuple(sorted(choices.items())))
        if key not in self._made:
            compiler = Compiler(self.lines[name], self.dim, self.shapes, choices)
            scope = {**xp.functions, **{n: np.float64(v) for n, v in compiler.constants.items()}}
            exec(compile(compiler.source(), "optviz block", "exec"), scope)  # written from traced operations alone
            self._made[key] = (compiler, scope["bind"])
        return self._made[key]


def _fixed(tape: Tape, values: Mapping[str, Any], xp: Any) -> tuple[dict[int, Any], dict[int, bool]]:
    """The values of a tape's fixed nodes, and which of its choices are the same in all lanes."""
    found: dict[int, Any] = {}
    choices: dict[int, bool] = {}
    for index, node in enumerate(tape.nodes):
        args: list[Any] = [found.get(a.index) if isinstance(a, Value) else a for a in node.args]
        if node.op == "where" and isinstance(node.args[0], Value) and tape.nodes[node.args[0].index].when == FIXED:
            if bool(args[0].all()):
                choices[index] = True
            elif not bool(args[0].any()):
                choices[index] = False
        if node.when == FIXED:
            found[index] = values[node.args[0]] if node.op == "input" else xp.fresh(node.op, args)
    return found, choices


_FUNCTIONS = """
add subtract multiply divide power negative positive sqrt exp log sin cos tan tanh sign maximum minimum absolute less
less_equal greater greater_equal equal not_equal bitwise_and bitwise_or arctan arcsin arccos sinh cosh arcsinh arccosh
arctanh floor ceil remainder floor_divide copyto
"""


class Numpy:
    """numpy's functions by the names that a line uses."""

    functions = {name: getattr(np, name) for name in _FUNCTIONS.split()}

    @staticmethod
    def where(condition, a, b, out):
        np.copyto(out, b)
        np.copyto(out, a, where=condition)

    @staticmethod
    def empty(shape, truth):
        return np.empty(shape, dtype=bool if truth else float)

    @staticmethod
    def fresh(op, args):
        return np.where(*args) if op == "where" else getattr(np, op)(*args)


Numpy.functions |= {"where": Numpy.where, **{f"plain_{n}": f for n, f in Numpy.functions.items()}}


class Block:
    """Lanes of one block: X (dim, lanes), the loss F (lanes,), and a step function."""

    def __init__(self, program, values: Mapping[str, Any], x0, draws: Any, rates: Any, losses: bool, xp=Numpy):
        dim, lanes = x0.shape
        self.program = program
        self.X, self.F = x0, xp.empty((lanes,), False)
        e: dict[str, Any] = {"X": x0, "F": self.F, "G": xp.empty((dim, lanes), False), "S": {}}
        e |= {f"X{k}": x0[k] for k in range(dim)} | {f"G{k}": e["G"][k] for k in range(dim)}
        sizes = {ROW: (lanes,), MATRIX: (dim, lanes)}
        e |= {f"m_{n}": xp.empty(sizes[s], False) for n, s in program.shapes.items() if s != SCALAR}
        e["draws"], e["rates"] = (lambda t: draws[t - 1]), (lambda t: rates[t - 1])
        if not program.traced and program.coupled:
            e |= {f"H{k}": xp.empty((lanes,), False) for k in range(dim * dim)}
        self.e = e
        bare = "" if losses else " bare"
        names = f"first{bare}", f"later{bare}", "look"
        self.first, self.later, self.look = (program.bound(n, e, values, xp) for n in names)
        self.lane_arrays = [x0, *(v for n, v in e.items() if n.startswith("m_")), *e["lane arrays"]]
        self.lane_arrays += [a for a in (draws, rates) if a is not None and a.ndim > 1 and a.shape[-1] == lanes > 1]

    def step(self, t: int) -> None:
        """Step t; of a traced objective with `losses` on, F is then the loss before it."""
        if not self.program.traced:
            self._outside()
        (self.first if t == 1 else self.later)(t)

    def measure(self) -> None:
        """The loss where the lanes are."""
        if self.program.traced:
            self.look(0)
        else:
            self.F[...] = self.program.objective.value(*self.X)

    def _outside(self) -> None:
        objective, e = self.program.objective, self.e
        for row, entry in zip(e["G"], objective.array_gradient()(*self.X), strict=True):
            row[...] = entry
        if self.program.coupled:
            for k, entry in enumerate(objective.array_hessian()(*self.X)):
                e[f"H{k}"][...] = entry

    def inside(self) -> bool:
        """Whether every lane is where the loss is sure to be finite: a sum of squares tells."""
        radius = self.program.radius
        if not radius:
            return False
        # a longer product would be shared among threads, which are busy with other blocks
        parts = (row[at : at + 8192] for row in self.X for at in range(0, row.size, 8192))
        return sum(float(np.dot(part, part)) for part in parts) < radius * radius

    def numbers(self, array: Any) -> np.ndarray:
        """An array of the block as numpy's."""
        return array

    def state(self) -> list[Any]:
        """Copies of all that a step changes."""
        return [*(self._copy(a) for a in self._carried()), dict(self.e["S"])]

    def same(self, before: list[Any]) -> bool:
        """Whether the state is still what it was."""
        *arrays, numbers = before
        return numbers == self.e["S"] and all(map(self._equal, arrays, self._carried()))

    def _carried(self) -> list[Any]:
        return [self.X, *(v for n, v in self.e.items() if n.startswith("m_"))]

    _equal, _copy = staticmethod(np.array_equal), staticmethod(np.copy)

    def fill(self, lost: np.ndarray, alive: int) -> None:
        """Let lost lanes go on as copies of one that is alive: nothing they do matters any more."""
        for array in self.lane_arrays:
            array[..., lost] = array[..., alive, None]
