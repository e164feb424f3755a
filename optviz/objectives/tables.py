"""Columns of numbers from what people hold them in: arrays, dicts, data frames, datasets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..messages import refuse


def columns_of(who: str, given: Any, width: int) -> tuple[list[str], list[np.ndarray]]:
    """The names (none, or one a column) and the columns of a table of so many; a ValueError says what is wrong."""
    if width > 2 and isinstance(given, tuple | list) and len(given) == 2:
        given = _beside(who, *given, width)
    names, columns = _named(given)
    if not names:
        columns = _plain(who, given, width)
    if len(columns) != width:
        which = f"{len(columns)}: {', '.join(names)}" if names else len(columns)
        refuse(who, f"needs {width} columns", which, "choose them, as data[['a', 'b']]")
    called = names or [""] * width
    arrays = [_numbers(who, column, name) for column, name in zip(columns[:2], called, strict=False)]
    if width > 2:
        one, marked = _classes(who, columns[2], called[2])
        arrays, names = [*arrays, marked], [*names[:2], one] if names else []
    if len({array.shape for array in arrays}) > 1:
        refuse(who, "needs columns of one length", [array.size for array in arrays])
    return names, arrays


def _named(given: Any) -> tuple[list[str], list[Any]]:
    """The columns of a mapping, a data frame or a dataset, by name."""
    if hasattr(given, "data_vars"):  # an xarray Dataset: coordinates along its one dimension first
        names = [*given.coords, *given.data_vars]
        found = [(name, given[name]) for name in names if getattr(given[name], "ndim", 0) == 1]
    elif hasattr(given, "coords") and hasattr(given, "dims"):  # an xarray DataArray
        along = [(name, given.coords[name]) for name in given.dims if name in given.coords]
        found = [*along, (given.name if given.name is not None else "value", given)]
    elif hasattr(given, "columns") and hasattr(given, "iloc"):
        found = [(name, given.iloc[:, k]) for k, name in enumerate(given.columns)]
    elif hasattr(given, "columns") and hasattr(given, "__getitem__"):  # other kinds of data frame
        found = [(name, given[name]) for name in given.columns]
    elif getattr(getattr(given, "dtype", None), "names", None):
        found = [(name, given[name]) for name in given.dtype.names]
    elif isinstance(given, Mapping):
        found = [*given.items()]
    else:
        return [], []
    return [str(name) for name, _ in found], [column for _, column in found]


def _plain(who: str, given: Any, width: int) -> list[Any]:
    """The columns of an array with a row a sample, or of a sequence of columns."""
    if isinstance(given, Sequence) and len(given) == width and not isinstance(given, str):
        return [*given]
    array = _array(given)
    if array is None or array.ndim != 2:
        refuse(who, f"needs {width} columns of numbers", given)
    return [*array.T]


def _beside(who: str, features: Any, labels: Any, width: int) -> list[Any]:
    """Columns from features (n, width - 1), and a label a sample."""
    names, columns = _named(features)
    if not names:
        array = _array(features)
        if array is None or array.ndim != 2 or array.shape[1] != width - 1:
            refuse(who, f"needs features of {width - 1} columns", features)
        columns = [*array.T]
    return [*columns, labels]


def _classes(who: str, column: Any, name: str) -> tuple[str, np.ndarray]:
    """What class 1 is called, and 1 for each sample of it; of two classes it is the second."""
    given = np.asarray(column)
    found = np.unique(given) if given.ndim == 1 else given
    if given.ndim == 1 and set(found.tolist()) <= {0, 1}:
        return name, given.astype(float)
    if given.ndim != 1 or len(found) != 2:
        refuse(who, "needs two classes, one for each sample", found[:5])
    return str(found[1]), (given == found[1]).astype(float)


def _array(given: Any) -> np.ndarray | None:
    try:
        return np.asarray(given, dtype=float)
    except (TypeError, ValueError):
        return None


def _numbers(who: str, column: Any, name: str) -> np.ndarray:
    array = _array(column)
    if array is None or array.ndim != 1:
        refuse(who, f"needs numbers in the column {name}" if name else "needs columns of numbers", column)
    return array
