"""What an update rule is: declared hyperparameters, carried terms, one pure function.

The catalogue of rules is `optviz.optimizers`; `formula` reads a rule as equations.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any, ClassVar

import numpy as np
import param
import sympy

from .messages import refuse
from .tracing import SYMBOLS, symbols


class Hyperparameter(param.Number):
    """A finite number in bounds, or a one-dimensional array of them, one a lane.

    `off` is the value at which the hyperparameter does nothing: a displayed formula
    then leaves it out.
    """

    __slots__ = ["off"]

    def __init__(self, default=0.0, *, off=None, **settings):
        self.off = off
        super().__init__(default, **settings)

    def _validate(self, val):
        if isinstance(val, list | tuple | np.ndarray):
            self._validate_lanes(np.asarray(val))
        else:
            super()._validate(val)
            if isinstance(val, float | np.floating) and not math.isfinite(val):
                refuse(self._owner(), "must be finite", val)

    def _owner(self) -> str:
        owner = getattr(self.owner, "__name__", None) or type(self.owner).__name__
        return f"Number parameter '{owner}.{self.name}'"

    def _validate_lanes(self, values: np.ndarray) -> None:
        if values.ndim != 1 or values.size == 0 or values.dtype.kind not in "fiu":
            refuse(self._owner(), "must be a number or a one-dimensional array of numbers", values)
        if not np.isfinite(values).all():
            refuse(self._owner(), "must be finite in every lane", values)
        for value in (values.min(), values.max()):
            super()._validate(float(value))


class Rule(param.Parameterized):
    """An update rule: what to add to the parameters, given their gradient.

    A subclass declares its hyperparameters, `memory` (the terms carried from one step
    to the next, each with its first value, a number or a hyperparameter's name) and

        update(h, memory, x, g, t, let, xp) -> step

    `h` holds the hyperparameters, `memory` the carried terms, `x` the parameter, `g` its
    gradient, `t` the step from 1 on; `let(name, value)` names a term and returns it. A
    `coupled` rule sees all coordinates at once, x[i], g[i], and the Hessian `memory.H[i][j]`.
    `preset` holds the values a playground starts from.
    """

    __abstract = True
    memory: ClassVar[Mapping[str, float | str]] = {}
    coupled: ClassVar[bool] = False
    preset: ClassVar[Mapping[str, Any]] = {}
    source: ClassVar[str] = ""

    def __init__(self, **settings):
        super().__init__(**settings)
        self.check()

    @staticmethod
    def update(h, memory, x, g, t, let, xp):
        """The step to add to `x`."""
        raise NotImplementedError

    def check(self) -> None:
        """Raise ValueError for a combination of hyperparameters that PyTorch refuses."""

    @classmethod
    def hyperparameters(cls) -> list[str]:
        """The names of the declared hyperparameters."""
        return [name for name in cls.param if name != "name"]

    def values(self) -> dict[str, Any]:
        """The hyperparameters as they stand: numbers, flags, or arrays with one entry a lane."""
        self.check()
        values = {name: getattr(self, name) for name in self.hyperparameters()}
        return {k: v if isinstance(v, bool) else _plain(v) for k, v in values.items()}

    def lanes(self) -> int:
        """How many lanes the hyperparameters span: the length of their arrays, else 1."""
        sizes = {v.size for v in self.values().values() if isinstance(v, np.ndarray)} - {1}
        if len(sizes) > 1:
            refuse(type(self).__name__, "needs hyperparameter arrays of one length", sorted(sizes))
        return sizes.pop() if sizes else 1


def _plain(value: Any) -> Any:
    if isinstance(value, list | tuple | np.ndarray):
        return np.asarray(value, dtype=float)
    return float(value)


class Formula(SimpleNamespace):
    """A rule as equations: `equations` in order, `step` the symbol of the last one."""

    equations: list
    step: Any


GREEK = {
    "lr": "eta", "momentum": "mu", "dampening": "tau", "weight_decay": "lambda", "beta1": "beta_1",
    "beta2": "beta_2", "alpha": "alpha", "eps": "epsilon", "rho": "rho", "etaminus": "eta_-",
    "etaplus": "eta_+", "step_size_min": "Delta_min", "step_size_max": "Delta_max",
    "momentum_decay": "psi", "lr_decay": "kappa", "initial_accumulator_value": "s_0",
    "damping": "delta",
}  # fmt: skip


def formula(rule: Rule) -> Formula:
    """Read a rule as equations, one a named term, with sympy symbols.

    Flags take their current value, and a hyperparameter that is switched off (momentum 0,
    say) is left out. Carried terms of the step before are written with index t-1.
    """
    h = SimpleNamespace(**_hyper_symbols(rule))
    (t,) = symbols("t")
    memory = SimpleNamespace(**{name: _symbol(f"{name}_(t-1)") for name in rule.memory})
    equations: list = []

    def let(name, value):
        term = _symbol(f"{name}_t")
        equations.append((term, sympy.sympify(value)))
        return term

    if rule.coupled:
        x, g = symbols("x_1", "x_2"), symbols("g_1", "g_2")
        memory.H = [symbols("H_11", "H_12"), symbols("H_21", "H_22")]
    else:
        x, g = symbols("x_t", "g_t")
    step = rule.update(h, memory, x, g, t, let, SYMBOLS)
    steps = step if isinstance(step, tuple) else (step,)
    return Formula(equations=equations, step=steps)


def _symbol(name: str) -> sympy.Symbol:
    return sympy.Symbol(name, real=True)


def _hyper_symbols(rule: Rule) -> dict[str, Any]:
    made = {}
    for name, value in rule.values().items():
        off = getattr(rule.param[name], "off", None)
        if isinstance(value, bool):
            made[name] = value
        elif off is not None and np.all(value == off):
            made[name] = sympy.Integer(int(off))
        else:
            made[name] = sympy.Symbol(GREEK.get(name, name), positive=True)
    return made
