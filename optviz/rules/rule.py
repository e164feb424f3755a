"""What an update rule is: declared hyperparameters, carried terms, one pure function.

The catalogue of rules is `optviz.rules.optimizers`; `optviz.readings.equations` reads a rule as equations.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import cache
from types import SimpleNamespace
from typing import Any, ClassVar

import numpy as np
import param

from ..messages import refuse
from ..spans import Quantity


class Hyperparameter(Quantity):
    """A finite number in bounds, or a one-dimensional array of them, one a lane.

    `off` is the value at which the hyperparameter does nothing: a displayed formula
    then leaves it out. `is_momentum` says that it is what a visitor calls the rule's momentum.
    `symbol`, `span` and `on_map`: see `optviz.spans`.
    """

    __slots__ = ["off", "is_momentum"]

    def __init__(self, default=0.0, *, off=None, is_momentum=False, **settings):
        self.off, self.is_momentum = off, is_momentum
        super().__init__(default, **settings)

    def _validate(self, val):
        if isinstance(val, list | tuple | np.ndarray):
            self._validate_lanes(val)
        else:
            self._validate_number(val)
            if isinstance(val, float | np.floating) and not math.isfinite(val):
                refuse(self._owner(), "must be finite", val)

    def _owner(self) -> str:
        owner = getattr(self.owner, "__name__", None) or type(self.owner).__name__
        return f"Hyperparameter '{owner}.{self.name}'"

    def _validate_number(self, value: Any) -> None:
        try:
            super()._validate(value)
        except ValueError as trouble:  # param would say "Hyperparameter parameter"
            raise ValueError(str(trouble).replace("Hyperparameter parameter", "Hyperparameter", 1)) from None

    def _validate_lanes(self, lanes: Any) -> None:
        try:
            values = np.asarray(lanes)
        except ValueError:  # rows of different lengths
            values = np.zeros((0, 0))
        if values.ndim != 1 or values.size == 0 or values.dtype.kind not in "fiu":
            refuse(self._owner(), "must be a number or a one-dimensional array of numbers", lanes)
        if not np.isfinite(values).all():
            refuse(self._owner(), "must be finite in every lane", values)
        for value in (values.min(), values.max()):
            self._validate_number(float(value))


class Rule(param.Parameterized):
    """An update rule: what to add to the parameters, given their gradient.

    A subclass declares its hyperparameters, `memory` (the terms carried from one step
    to the next, each with its first value: a number, a hyperparameter's name, or "x" for
    the start, "x_1" and "x_2" for its coordinates) and

        update(h, memory, x, g, t, let, xp) -> step

    `h` holds the hyperparameters, `memory` the carried terms, `x` the parameter, `g` its
    gradient, `t` the step from 1 on; `let(name, value)` names a term and returns it. A
    `coupled` rule sees all coordinates at once, x[i], g[i], and gives as many steps. One with
    `curvature` finds the Hessian in `memory.H`: rows if it is coupled, else its coordinate's
    own second derivative. `x` is the point that is reported; where a rule takes its gradient
    elsewhere it declares

        stand(h, memory, x) -> point
        probe(h, x, g, xp) -> points

    `stand` gives where the gradient is taken, of each coordinate or, if it is coupled, of all;
    `probe`, given all coordinates of that point and of the gradient there, where a second one
    is taken, which `update` is given as its `g`. `own_sentence` says why no limit of the
    learning rate follows, where the rule knows best. `preset` holds the values a playground
    starts from; `listed`: see `optviz.listed`.
    """

    __abstract = True
    memory: ClassVar[Mapping[str, float | str]] = {}
    coupled: ClassVar[bool] = False
    curvature: ClassVar[bool] = False
    stand: ClassVar[Callable[..., Any] | None] = None
    probe: ClassVar[Callable[..., Any] | None] = None
    own_sentence: ClassVar[str] = ""
    preset: ClassVar[Mapping[str, Any]] = {}
    source: ClassVar[str] = ""
    listed: ClassVar[bool] = False

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
        return list(_declared(cls))

    def values(self) -> dict[str, Any]:
        """The hyperparameters as they stand: numbers, flags, or arrays with one entry a lane."""
        self.check()
        return self.settings()

    def settings(self) -> dict[str, Any]:
        """The same unchecked: what a formula shows while a combination is refused."""
        values = {name: getattr(self, name) for name in self.hyperparameters()}
        return {k: v if isinstance(v, bool) else _plain(v) for k, v in values.items()}

    def lanes(self) -> int:
        """How many lanes the hyperparameters span: the length of their arrays, else 1."""
        sizes = {v.size for v in self.values().values() if isinstance(v, np.ndarray)} - {1}
        if len(sizes) > 1:
            refuse(type(self).__name__, "needs hyperparameter arrays of one length", sorted(sizes))
        return sizes.pop() if sizes else 1


def shut(rule: Any) -> list[str]:
    """The hyperparameters that `check` lets have no other value while the others stay; none while it refuses these."""
    if not isinstance(rule, Rule) or type(rule).check is Rule.check:
        return []
    values = rule.settings()
    if _is_refused(rule, values):
        return []
    single = {name: value for name, value in values.items() if not varies(value)}
    return [n for n, v in single.items() if all(_is_refused(rule, {**values, n: other}) for other in _others(v))]


def _others(value: Any) -> list[Any]:
    return [not value] if isinstance(value, bool) else [other for other in (0.5, 1.0) if other != value]


def _is_refused(rule: Rule, values: Mapping[str, Any]) -> bool:
    try:
        type(rule).check(SimpleNamespace(**values))  # pyright: ignore[reportArgumentType]
    except ValueError:
        return True
    return False


def varies(value: Any) -> bool:
    """Whether a hyperparameter's value is an array, one number a lane."""
    return isinstance(value, np.ndarray) and value.ndim > 0  # np.ndim takes ten times as long to say so of a number


@cache
def _declared(cls: type[Rule]) -> tuple[str, ...]:
    return tuple(name for name in cls.param if name != "name")


def _plain(value: Any) -> Any:
    if isinstance(value, list | tuple | np.ndarray):
        return np.asarray(value, dtype=float)
    return float(value)
