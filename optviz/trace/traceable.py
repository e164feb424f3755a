"""Values that stand for an objective's variables while a user's function is called once.

Plain operators, numpy's functions and methods, sympy's functions and those of `optviz.xp` take
them; arrays of data that the function brings in are followed entry by entry.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from types import SimpleNamespace
from typing import Any

import numpy as np
import sympy
from numpy.lib.mixins import NDArrayOperatorsMixin
from sympy.logic.boolalg import Boolean

from .functions import ALIASES, COMPOSED, ROWS, symbol_where
from .tape import not_followed
from .tracing import ARRAYS, SYMBOLS

MOST_ENTRIES = 1_000  # of data: each is a term of the formula, of its derivatives and of a page's script


class NotFollowed(TypeError):
    """The reason in words why a function has no formula."""


class TooLong(NotFollowed):
    """Too many numbers for a formula."""


def as_expression(value: Any) -> Any:
    """A number, a truth or a variable as sympy's, a number at its full precision."""
    if isinstance(value, Traceable):
        return value.expression
    if isinstance(value, np.ndarray) and value.ndim == 0:
        return as_expression(value[()])
    if isinstance(value, np.generic):  # a float32 would be printed with the digits of a float32
        value = float(value) if isinstance(value, np.floating) else value.item()
    return sympy.sympify(value)


def _as_number(value: Any) -> Any:
    """An expression, a condition counting as 1 or 0."""
    value = as_expression(value)
    if value in (sympy.true, sympy.false):
        return sympy.Integer(int(value == sympy.true))
    return sympy.Piecewise((1, value), (0, True)) if _is_truth(value) else value


def _is_truth(value: Any) -> bool:
    return isinstance(value, Boolean) and not isinstance(value, sympy.Symbol)  # which sympy has as both


def _as_truth(value: Any) -> Any:
    value = as_expression(value)
    return value if _is_truth(value) else sympy.Ne(value, 0)


def _raised(base: Any, exponent: Any) -> Any:
    """A power; a whole exponent is an integer, so that x**2.0 is x**2."""
    if exponent.is_Float and exponent == int(exponent):
        exponent = sympy.Integer(int(exponent))
    return base**exponent


def _of_numbers(function: Callable) -> Callable:
    return lambda *values: Traceable(function(*map(_as_number, values)))


def _of_truths(function: Callable) -> Callable:
    return lambda *values: Traceable(function(*map(_as_truth, values)))


_CALLS: dict[str, Callable] = {
    **{name: _of_numbers(row.symbol) for name, row in ROWS.items()},
    **{name: _of_numbers(function) for name, function in {
        "add": lambda a, b: a + b, "subtract": lambda a, b: a - b, "multiply": lambda a, b: a * b,
        "divide": lambda a, b: a / b, "negative": lambda a: -a, "power": _raised, "less": sympy.Lt,
        "less_equal": sympy.Le, "greater": sympy.Gt, "greater_equal": sympy.Ge, "equal": sympy.Eq,
        "not_equal": sympy.Ne}.items()},
    **{name: _of_truths(function) for name, function in {
        "bitwise_and": sympy.And, "bitwise_or": sympy.Or, "bitwise_xor": sympy.Xor,
        "logical_not": sympy.Not}.items()},
}  # fmt: skip


def _choice(condition: Any, a: Any, b: Any) -> Any:
    return Traceable(symbol_where(_as_truth(condition), _as_number(a), _as_number(b)))


def called(name: str, inputs: Sequence[Any]) -> Any:
    """A function of numpy's or scipy's of this name, of variables and of arrays of them."""
    name = ALIASES.get(name, name)
    if name in COMPOSED:
        return COMPOSED[name](*inputs)
    if name == "matmul":
        return _product(*inputs)
    if name not in _CALLS:
        raise NotFollowed(not_followed(name))
    return each_entry(_CALLS[name], inputs)


def each_entry(function: Callable, inputs: Sequence[Any]) -> Any:
    """A function of variables, of the entries of arrays where there are any."""
    if not any(isinstance(v, np.ndarray | list | tuple) for v in inputs):
        return function(*inputs)
    entries = np.broadcast_arrays(*(_plain(v) for v in inputs))
    if entries[0].size > MOST_ENTRIES:
        raise TooLong(f"an array of {entries[0].size:,} numbers is too long to be followed entry by entry "
                          f"(at most {MOST_ENTRIES:,}), use fewer, torch, or optviz.DataLoss")  # fmt: skip
    out = np.empty(entries[0].shape, dtype=object)
    out.ravel()[:] = [function(*row) for row in zip(*(e.ravel() for e in entries), strict=True)]
    return out.view(Traceables) if out.ndim else out[()]


def _plain(value: Any) -> np.ndarray:
    """Anything as a plain array of objects."""
    if isinstance(value, np.ndarray):
        return value.view(np.ndarray).astype(object)
    if isinstance(value, list | tuple):
        return np.array(value, dtype=object)
    out = np.empty((), dtype=object)
    out[()] = value
    return out


def _product(a: Any, b: Any) -> Any:
    """a @ b, of vectors and matrices."""
    a, b = (_plain(v).view(Traceables) for v in (a, b))
    rows, columns = (a if a.ndim > 1 else a[None]), (b if b.ndim > 1 else b[:, None])
    out = (rows[..., :, :, None] * columns[..., None, :, :]).sum(axis=-2)
    out = out if b.ndim > 1 else out[..., 0]
    return out if a.ndim > 1 else out[..., 0, :] if b.ndim > 1 else out[..., 0]


_REDUCED: dict[str, Callable] = {
    "add": lambda entries: sympy.Add(*map(_as_number, entries)),
    "multiply": lambda entries: sympy.Mul(*map(_as_number, entries)),
    "maximum": lambda entries: _in_pairs(ROWS["maximum"].symbol, [*map(_as_number, entries)]),
    "minimum": lambda entries: _in_pairs(ROWS["minimum"].symbol, [*map(_as_number, entries)]),
    "logical_and": lambda entries: sympy.And(*map(_as_truth, entries)),
    "logical_or": lambda entries: sympy.Or(*map(_as_truth, entries)),
}


def _in_pairs(choose: Callable, entries: list) -> Any:
    """The largest or smallest as a tree: a chain of a hundred would be too deep for sympy."""
    if len(entries) == 1:
        return entries[0]
    half = len(entries) // 2
    return choose(_in_pairs(choose, entries[:half]), _in_pairs(choose, entries[half:]))


def _reduced(name: str, array: Any, axis: Any, keepdims: bool) -> Any:
    """A sum, product, largest or smallest along axes."""
    entries = _plain(array)
    axes = range(entries.ndim) if axis is None else np.atleast_1d(axis) % max(entries.ndim, 1)
    kept = [k for k in range(entries.ndim) if k not in axes]
    rows = entries.transpose([*kept, *axes]).reshape([*(entries.shape[k] for k in kept), -1])
    out = np.empty(rows.shape[:-1], dtype=object)
    for place in np.ndindex(*out.shape):
        out[place] = Traceable(_REDUCED[name](rows[place]))
    if keepdims:
        out = out.reshape([size if k in kept else 1 for k, size in enumerate(entries.shape)])
    return out.view(Traceables) if out.ndim else out[()]


class Traceable(NDArrayOperatorsMixin):
    """A symbol that plain operators, numpy's functions and sympy's all accept."""

    _op_priority = 100.0  # sympy leaves operators on its own expressions and these to these

    def __init__(self, expression: Any):
        self.expression = expression

    def _sympy_(self):
        return self.expression

    def __repr__(self):
        return str(self.expression)

    def __hash__(self):
        return id(self)  # sympy's caches compare what has one hash, and an equality here is an expression

    def __getattr__(self, name):
        if name not in _CALLS and name not in ALIASES and name not in COMPOSED:
            raise AttributeError(f"a variable has no attribute {name}, only operators and numpy's functions")
        return lambda *others: called(name, [self, *others])  # numpy asks the entries of its own arrays like this

    def __array_ufunc__(self, ufunc, method, *inputs, **options):
        if method != "__call__" or options.keys() - {"out"}:
            raise NotFollowed(not_followed(ufunc.__name__))
        return called(ufunc.__name__, inputs)

    def __array_function__(self, function, types, arguments, options):
        return _by_name(function, arguments, options)

    def __bool__(self):
        raise TypeError("a branch on a variable cannot be traced, use optviz.xp.where, or its maximum and minimum")

    def __float__(self):
        if self.expression.is_number:
            return float(self.expression)
        raise TypeError("math's functions take numbers only, use numpy's or those of optviz.xp")

    def __round__(self, digits=0):
        return _rounded(self, digits or 0)

    def __floor__(self):
        return called("floor", [self])

    def __ceil__(self):
        return called("ceil", [self])

    def __trunc__(self):
        return called("trunc", [self])


class Traceables(np.ndarray):
    """An array of variables, or of expressions in them."""

    _op_priority = 100.0

    def __array_ufunc__(self, ufunc, method, *inputs, **options):
        name, out = ufunc.__name__, options.pop("out", None)
        if method == "reduce" and name in _REDUCED:
            return _reduced(name, inputs[0], options.get("axis", 0), options.get("keepdims", False))
        if method != "__call__" or options:
            raise NotFollowed(not_followed(f"{name}.{method}" if method != "__call__" else name))
        found = called(name, inputs)
        if out is None:
            return found
        out[0].view(np.ndarray)[...] = found
        return out[0]

    def __array_function__(self, function, types, arguments, options):
        return _by_name(function, arguments, options)


def traceable(value: Any) -> Any:
    """Symbols, a list of them too, in a form that numpy's functions take; anything else as it is."""
    if isinstance(value, list | tuple):
        return [traceable(entry) for entry in value]
    return Traceable(value) if isinstance(value, sympy.Basic) else value


def _by_name(function: Any, arguments: Sequence[Any], options: Any) -> Any:
    """A function of numpy's that is none of its ufuncs: one written here, else numpy's own on arrays of variables."""
    own = _FUNCTIONS.get(function)
    if own is not None:
        return own(*arguments, **options)
    arguments = tuple(_listed(value) for value in arguments)
    try:
        found = np.ndarray.__array_function__(np.empty(0).view(Traceables), function, (Traceables,), arguments, options)
    except TooLong:
        raise
    except (TypeError, AttributeError, ValueError) as trouble:
        raise NotFollowed(not_followed(function.__name__)) from trouble
    return found[()] if isinstance(found, Traceables) and found.ndim == 0 else found


def _listed(value: Any) -> Any:
    """An argument with arrays in place of its variables."""
    if isinstance(value, list | tuple):
        return [_listed(entry) for entry in value]
    return _plain(value).view(Traceables) if isinstance(value, Traceable) else value


def _rounded(x: Any, decimals: int = 0, out: None = None) -> Any:
    return called("rint", [x]) if decimals == 0 else called("rint", [x * 10.0**decimals]) / 10.0**decimals


def _select(conditions: Sequence[Any], choices: Sequence[Any], default: Any = 0) -> Any:
    pairs = zip(reversed(conditions), reversed(choices), strict=True)
    return reduce(lambda rest, pair: _where(*pair, rest), pairs, default)


def _where(condition: Any, a: Any, b: Any) -> Any:
    return each_entry(_choice, [condition, a, b])


def _clip(x: Any, low: Any = None, high: Any = None, **bounds: Any) -> Any:
    low, high = bounds.get("a_min", bounds.get("min", low)), bounds.get("a_max", bounds.get("max", high))
    x = x if low is None else called("maximum", [x, low])
    return x if high is None else called("minimum", [x, high])


def _norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    """The length of a vector, by its squares, its sizes (1) or the largest of them (inf)."""
    sizes = called("absolute", [_plain(x).view(Traceables)])
    if ord not in (None, 1, 2, np.inf) or (ord and sizes.ndim > 1 and axis is None):
        raise NotFollowed(not_followed(f"linalg.norm with ord={ord}"))
    if ord == 1:
        return sizes.sum(axis=axis, keepdims=keepdims)
    if ord == np.inf:
        return sizes.max(axis=axis, keepdims=keepdims)
    return called("sqrt", [(sizes * sizes).sum(axis=axis, keepdims=keepdims)])


def _polyval(coefficients: Any, x: Any) -> Any:
    return reduce(lambda total, c: total * x + c, list(coefficients), 0)


_FUNCTIONS: dict[Any, Callable] = {
    np.where: _where, np.clip: _clip, np.select: _select, np.round: _rounded, np.around: _rounded,
    np.sinc: lambda x: called("sinc", [x]), np.fix: lambda x: called("trunc", [x]), np.linalg.norm: _norm,
    np.polyval: _polyval, np.real: lambda x: x, np.dot: lambda a, b, out=None: _dot(a, b),
    np.inner: lambda a, b: _dot(a, b),
}  # fmt: skip


def _dot(a: Any, b: Any) -> Any:
    return _product(a, b) if np.ndim(_plain(a)) and np.ndim(_plain(b)) else called("multiply", [a, b])


def _holds_variables(value: Any) -> bool:
    return isinstance(value, Traceable) or (isinstance(value, np.ndarray) and value.dtype == object)


def _either(name: str) -> Callable:
    """A function of `optviz.xp`: of variables, of sympy's expressions, of numbers and arrays of numbers."""

    def call(*values):
        if any(map(_holds_variables, values)):
            return called(name, values)
        if any(isinstance(v, np.ndarray) for v in values):
            return getattr(ARRAYS, name)(*values)
        if any(map(_is_tensor, values)):
            return _of_tensors(name, values)
        return getattr(SYMBOLS, name)(*values)

    call.__name__ = name
    return call


def _xp_where(condition: Any, a: Any, b: Any) -> Any:
    """a where the condition holds, else b."""
    values = (condition, a, b)
    if any(map(_holds_variables, values)):
        return _where(*values)
    if any(map(_is_tensor, values)):
        return _of_tensors("where", values)
    return (ARRAYS if any(isinstance(v, np.ndarray) for v in values) else SYMBOLS).where(*values)


def _is_tensor(value: Any) -> bool:
    return hasattr(value, "requires_grad")  # without an import of torch


def _of_tensors(name: str, values: Sequence[Any]) -> Any:
    import torch

    function = getattr(torch, name, None) or getattr(torch.special, name, None)
    if function is None:
        raise TypeError(f"torch has no {name}")
    first = next(v for v in values if _is_tensor(v) and v.is_floating_point())
    return function(*(v if _is_tensor(v) else torch.as_tensor(v, dtype=first.dtype) for v in values))


_own = {name: _either(name) for name in ROWS}
xp = SimpleNamespace(
    **_own, abs=_own["absolute"], clip=lambda x, low, high: _own["minimum"](_own["maximum"](x, low), high),
    where=_xp_where, equal=lambda a, b: called("equal", [a, b]), pi=Traceable(sympy.pi),
)  # fmt: skip
