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

from .alike import Patterns, resolved
from .branches import decided
from .expressions import CALLS, REDUCED, NotFollowed, TooLong, as_expression, as_number, as_truth, is_truth, part_of
from .functions import ALIASES, COMPOSED, ROWS, symbol_where
from .sums import FEWEST
from .tape import not_followed
from .tracing import ARRAYS, SYMBOLS

MOST_ENTRIES = 1_000  # of data: each is a term of the formula, of its derivatives and of a page's script

# Filled by `numpy_functions.py` and `complex_numbers.py`
FUNCTIONS: dict[Any, Callable] = {}  # of numpy's, what reads a call of it
COMPLEX: dict[str, Callable] = {}  # by numpy's names, of numbers some of which are complex


def is_complex(value: Any) -> bool:
    """Whether a value is a complex number, of variables or of none."""
    return isinstance(value, complex | np.complexfloating) or hasattr(value, "real_part")


def _choice(condition: Any, a: Any, b: Any) -> Any:
    if is_complex(a) or is_complex(b):
        return COMPLEX["where"](condition, a, b)
    return Traceable(symbol_where(as_truth(condition), as_number(a), as_number(b)))


def called(name: str, inputs: Sequence[Any]) -> Any:
    """A function of numpy's or scipy's of this name, of variables and of arrays of them."""
    name = ALIASES.get(name, name)
    if name in COMPOSED:
        return COMPOSED[name](*inputs)
    if name == "matmul":
        return product(*inputs)
    if name not in CALLS and name not in COMPLEX:
        raise NotFollowed(not_followed(name))

    def one(*values):
        calls = COMPLEX if any(map(is_complex, values)) else CALLS
        if name not in calls:
            raise NotFollowed(not_followed(name) + (" that is complex" if calls is COMPLEX else ""))
        found = calls[name](*values)
        return found if calls is COMPLEX else Traceable(found)

    return each_entry(one, inputs, whole=(1,) if name == "power" else ())


def each_entry(function: Callable, inputs: Sequence[Any], whole: Sequence[int] = ()) -> Any:
    """A function of variables, of the entries of arrays where there are any.

    Entries that differ in their numbers alone are called with once, but for inputs that are `whole`.
    """
    if not any(isinstance(v, np.ndarray | list | tuple) for v in inputs):
        return function(*inputs)
    arrays = [plain(v) for v in inputs]
    entries = np.broadcast_arrays(*arrays)
    if entries[0].size > MOST_ENTRIES:
        raise TooLong(f"an array of {entries[0].size:,} numbers is too long to be followed entry by entry "
                          f"(at most {MOST_ENTRIES:,}), use fewer, torch, or optviz.DataLoss")  # fmt: skip
    out, rows = np.empty(entries[0].shape, dtype=object), list(zip(*(e.ravel() for e in entries), strict=True))
    columns = [_is_data(v) and k not in whole for k, v in enumerate(arrays)]
    out.ravel()[:] = (
        _once_for_many(function, rows, columns, whole) if out.size >= FEWEST else _one_by_one(function, rows)
    )
    return out.view(Traceables) if out.ndim else out[()]


def _one_by_one(function: Callable, rows: Sequence[tuple]) -> list:
    return [function(*row) for row in rows]


def _is_data(array: np.ndarray) -> bool:
    return array.size >= FEWEST and all(type(v) in (int, float) for v in array.flat)


def _once_for_many(function: Callable, rows: Sequence[tuple], columns: Sequence[bool], whole: Sequence[int]) -> list:
    """The function of each row of values, called once for all rows that differ in their numbers alone."""
    patterns, made, found = Patterns(columns), {}, []
    for row in rows:
        parts = [part_of(value, place in whole) for place, value in enumerate(row)]
        given, numbers = patterns.read(parts)
        key = tuple((type(pattern), pattern) for pattern in given)
        if key not in made:
            made[key] = function(*(Traceable(p) if isinstance(p, sympy.Basic) else p for p in given))
        if not isinstance(made[key], Traceable):  # complex
            return _one_by_one(function, rows)
        found.append(Traceable(made[key].pattern, numbers))
    return found


def plain(value: Any) -> np.ndarray:
    """Anything as a plain array of objects."""
    if isinstance(value, np.ndarray):
        return value.view(np.ndarray).astype(object)
    if isinstance(value, list | tuple):
        return np.array(value, dtype=object)
    out = np.empty((), dtype=object)
    out[()] = value
    return out


def product(a: Any, b: Any) -> Any:
    """a @ b, of vectors and matrices."""
    a, b = (plain(v).view(Traceables) for v in (a, b))
    rows, columns = (a if a.ndim > 1 else a[None]), (b if b.ndim > 1 else b[:, None])
    out = (rows[..., :, :, None] * columns[..., None, :, :]).sum(axis=-2)
    out = out if b.ndim > 1 else out[..., 0]
    return out if a.ndim > 1 else out[..., 0, :] if b.ndim > 1 else out[..., 0]


def _reduced(name: str, array: Any, axis: Any, keepdims: bool) -> Any:
    """A sum, product, largest or smallest along axes."""
    entries = plain(array)
    axes = range(entries.ndim) if axis is None else np.atleast_1d(axis) % max(entries.ndim, 1)
    kept = [k for k in range(entries.ndim) if k not in axes]
    rows = entries.transpose([*kept, *axes]).reshape([*(entries.shape[k] for k in kept), -1])
    if name == "add" and 0 < rows.shape[-1] < FEWEST <= rows.size // rows.shape[-1]:
        out = reduce(np.add, np.moveaxis(rows, -1, 0).view(Traceables)).view(np.ndarray)  # each of many is short
    else:
        out = np.empty(rows.shape[:-1], dtype=object)
        for place in np.ndindex(*out.shape):
            out[place] = _of_row(name, rows[place])
    if keepdims:
        out = out.reshape([size if k in kept else 1 for k, size in enumerate(entries.shape)])
    return out.view(Traceables) if out.ndim else out[()]


def _of_row(name: str, entries: Sequence[Any]) -> Any:
    if any(map(is_complex, entries)) and name in COMPLEX:
        return reduce(COMPLEX[name], entries)
    return Traceable(REDUCED[name](entries))


class Traceable(NDArrayOperatorsMixin):
    """A symbol that plain operators, numpy's functions and sympy's all accept."""

    _op_priority = 100.0  # sympy leaves operators on its own expressions and these to these

    def __init__(self, pattern: Any, row: dict[Any, float] | None = None):
        self.pattern, self.row = pattern, row  # numbers for some of its symbols, see `alike.py`
        self._expression: Any = None

    @property
    def expression(self) -> Any:
        """The variable, or what was made of variables, in symbols."""
        if self._expression is None:
            self._expression = resolved(self.pattern, self.row, as_expression)
        return self._expression

    def _sympy_(self):
        return self.expression

    def __repr__(self):
        return str(self.expression)

    def __eq__(self, other):
        if isinstance(other, bool) and is_truth(self.expression):
            return bool(self) == other  # sympy's Piecewise asks conditions so
        return called("equal", [self, other])

    def __hash__(self):
        return id(self)  # sympy's caches compare what has one hash, and an equality here is an expression

    def __getattr__(self, name):
        if name not in CALLS and name not in ALIASES and name not in COMPOSED:
            raise AttributeError(f"a variable has no attribute {name}, only operators and numpy's functions")
        return lambda *others: called(name, [self, *others])  # numpy asks the entries of its own arrays like this

    def __array_ufunc__(self, ufunc, method, *inputs, **options):
        if method != "__call__" or options.keys() - {"out"}:
            raise NotFollowed(not_followed(ufunc.__name__))
        return called(ufunc.__name__, inputs)

    def __array_function__(self, function, types, arguments, options):
        return _by_name(function, arguments, options)

    def __bool__(self):
        return decided(as_truth(self))

    def __float__(self):
        if self.expression.is_number:
            return float(self.expression)
        raise NotFollowed("math's functions, float() and dtype=float take numbers only")

    __int__ = __complex__ = __float__

    def __format__(self, specification):
        return str(self)

    @property
    def real(self):
        """Itself: a variable is a real number."""
        return self

    @property
    def imag(self):
        """Zero."""
        return Traceable(sympy.Integer(0))

    def conjugate(self):
        """Itself."""
        return self

    def __round__(self, digits=0):
        return np.round(self, digits or 0)

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
        if method == "reduce" and name in REDUCED:
            return _reduced(name, inputs[0], options.get("axis", 0), options.get("keepdims", False))
        if method != "__call__" or options.keys() - {"casting", "subok"}:
            raise NotFollowed(not_followed(f"{name}.{method}" if method != "__call__" else name))
        found = called(name, inputs)
        if out is None:
            return found
        out[0].view(np.ndarray)[...] = found
        return out[0]

    def __array_function__(self, function, types, arguments, options):
        return _by_name(function, arguments, options)

    @property
    def real(self):
        """The real parts of the entries."""
        return each_entry(np.real, [self])

    @property
    def imag(self):
        """The imaginary parts of the entries."""
        return each_entry(np.imag, [self])

    def conjugate(self):
        """The conjugates of the entries."""
        return each_entry(lambda v: v.conjugate(), [self])

    def var(self, *arguments, **options):
        """As numpy's."""
        return np.var(self, *arguments, **options)

    def std(self, *arguments, **options):
        """As numpy's."""
        return np.std(self, *arguments, **options)


def traceable(value: Any) -> Any:
    """Symbols, a list of them too, in a form that numpy's functions take; anything else as it is."""
    if isinstance(value, list | tuple):
        return [traceable(entry) for entry in value]
    return Traceable(value) if isinstance(value, sympy.Basic) else value


def _by_name(function: Any, arguments: Sequence[Any], options: Any) -> Any:
    """A function of numpy's that is none of its ufuncs: one written here, else numpy's own on arrays of variables."""
    own = FUNCTIONS.get(function)
    if own is not None:
        return own(*arguments, **options)
    arguments = tuple(_listed(value) for value in arguments)
    try:
        found = np.ndarray.__array_function__(np.empty(0).view(Traceables), function, (Traceables,), arguments, options)
    except TooLong:
        raise
    except (TypeError, AttributeError, ValueError) as trouble:
        raise NotFollowed(not_followed(function.__name__)) from trouble
    if isinstance(found, np.ndarray) and found.dtype == object:
        return found.view(Traceables) if found.ndim else found[()]
    return found


def _listed(value: Any) -> Any:
    """An argument with arrays in place of its variables."""
    if isinstance(value, list | tuple):
        return [_listed(entry) for entry in value]
    return plain(value).view(Traceables) if isinstance(value, Traceable) else value


def chosen(condition: Any, a: Any, b: Any) -> Any:
    """a where the condition holds, else b; entry by entry."""
    return each_entry(_choice, [condition, a, b])


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
        return chosen(*values)
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
