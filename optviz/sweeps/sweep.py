"""Every cell of a grid its own run: hyperparameter maps, basins, seeds, in blocks of lanes.

No trajectory is kept: memory is that of a block and of the result. Blocks run on threads, on
a GPU, or on a dask.distributed cluster, and give the same numbers as `descend` run by run.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np

from ..messages import refuse
from ..objectives.minima import Basin, lowest_of
from ..rules.rule import Rule
from ..runs.descent import Around, checked_steps
from .blocks import AROUND, TYPES, Grid, Want, fitting, parts
from .lanes import Program, Wanted, has_formula, traced

if TYPE_CHECKING:
    import xarray

REACHED = "reached"  # the lowest loss of a run: that of the minimum it reaches
MEASURES = {
    "first": "loss at the start",
    "loss": "final loss",
    "log_loss": "log10 of the final loss above the lowest",
    "steps_to": "first step within the tolerance of the lowest loss",
    "diverged": "step at which the run stopped being finite, 0 where it never did",
    "minimum": "the minimum reached, -1 for none",
}


def sweep(
    objective: Any,
    rule: Any,
    start: Any,
    steps: int,
    axes: Mapping[str, Any],
    *,
    measure: str | Sequence[str] = "loss",
    tolerance: float = 1e-6,
    lowest: float | str | None = None,
    minima: Any = None,
    paired: bool = False,
    block: int | None = None,
    threads: int | None = None,
    scheduler: Any = None,
    device: str | None = None,
    progress: Callable[[int, int], Any] | None = None,
    **around: Any,
) -> xarray.DataArray | xarray.Dataset:
    """Run `rule` once for every cell of a grid, and measure how each run ends.

    `axes` maps names to values: a hyperparameter of the rule, a variable or a shape parameter
    of the objective, `clip`, `clip_norm` or `seed`. The result has one dimension an axis, in
    their order: a DataArray for one measure, a Dataset for a list of them. `paired` axes are of
    one length and run side by side: the first values of all make the first run, and the result
    has one dimension, "run". Measures are `loss`
    (NaN where the run diverged before its last step), `first` at the start, `log_loss`, `steps_to` (NaN where it
    was never reached), `diverged`, `minimum`, each of the cell's own run: what `descend` gives.

    `lowest` is the loss that counts as zero, by default the objective's; "reached" is that of the
    minimum that each run reaches. `minima` (n, dim) are numbered as they stand. `clip`, `clip_norm`,
    `schedule`, `noise` and `seed` are those of `descend`. `scheduler` is a dask.distributed client,
    its address, or a function of the seconds that the sweep takes here, about, that gives one of them
    or None; `device` "cuda" (or "cpu") runs the lanes as torch tensors. `progress(done, lanes)` is
    called as blocks end.

    Raises ValueError for an axis that nothing has, values that are not finite numbers, an
    unknown measure, a device that is not there.
    """
    measures = _measures(measure)
    grid = _grid(objective, rule, start, steps, axes, around, paired)
    reached = isinstance(lowest, str) and lowest == REACHED
    basin = Basin.of(objective, minima) if reached or "minimum" in measures else None
    grid.want = Want(tuple(measures), float(tolerance), _lowest(objective, lowest, measures), basin, reached)
    grid.device = _checked_device(device)
    grid.block = fitting(grid) if block is None else _checked_block(block)
    found = {name: np.empty(grid.lanes, dtype=TYPES.get(name, float)) for name in measures}
    done = 0
    for at, part in parts(grid, scheduler, threads):
        for name, values in part.items():
            found[name][at : at + len(values)] = values
        done += len(part[measures[0]])
        if progress is not None:
            progress(done, grid.lanes)
    return _labelled(grid, found, measure)


def basins(
    objective: Any,
    rule: Any,
    box: Any = None,
    size: int | tuple[int, int] = 200,
    steps: int = 300,
    *,
    measure: Sequence[str] = ("minimum", "diverged"),
    minima: Any = None,
    **options: Any,
) -> xarray.Dataset:
    """Which minimum the rule reaches from every start of a box, with dimensions (y, x).

    `box` is ((x0, x1), (y0, y1)), by default the objective's domain; `size` counts the starts
    along each side. Minima are found by Newton's method from a lattice of starts and numbered
    by their loss, lowest first: attribute `minima`. Measures `steps_to` and `log_loss` are about
    the loss of the minimum reached. Options are those of `sweep`.
    """
    (x0, x1), (y0, y1) = objective.domain if box is None else box
    nx, ny = (size, size) if isinstance(size, int | np.integer) else size
    basin = Basin.of(objective, minima, ((x0, x1), (y0, y1)))
    across, up = objective.names
    axes = {up: np.linspace(y0, y1, ny), across: np.linspace(x0, x1, nx)}
    found: Any = sweep(
        objective, rule, (x0, y0), steps, axes, measure=list(measure), minima=basin, lowest=REACHED, **options
    )
    found.attrs["minima"] = basin.points
    return found


def _measures(measure: Any) -> list[str]:
    names = [measure] if isinstance(measure, str) else list(measure)
    unknown = [n for n in names if n not in MEASURES]
    if unknown or not names:
        refuse("sweep", "needs measures it knows", unknown or measure, f"choose from {', '.join(MEASURES)}")
    return names


def _lowest(objective: Any, lowest: Any, measures: Sequence[str]) -> float:
    if lowest is None and {"log_loss", "steps_to"} & set(measures):
        return lowest_of(objective)
    if lowest is None or (isinstance(lowest, str) and lowest == REACHED):
        return math.nan
    if isinstance(lowest, bool) or not isinstance(lowest, Real) or not math.isfinite(lowest):
        refuse("sweep", "needs a finite lowest loss", lowest, f'leave it out, or pass "{REACHED}"')
    return float(lowest)


def _checked_block(block: Any) -> int:
    if isinstance(block, bool) or not isinstance(block, int | np.integer) or block < 1:
        refuse("sweep", "needs a block of at least one lane", block)
    return int(block)


def _checked_device(device: str | None) -> str | None:
    if device is None:
        return None
    import torch

    if device.startswith("cuda") and not torch.cuda.is_available():
        raise ValueError(f"sweep: device {device!r} needs a GPU that torch can use, and there is none; leave it out.")
    return device


def _grid(objective, rule, start, steps, axes, around, paired=False) -> Grid:
    """The grid of a sweep, every argument checked."""
    if not hasattr(objective, "names") or not hasattr(objective, "array_gradient"):
        refuse("sweep", "needs an objective", objective, "make one with optviz.objective")
    if hasattr(objective, "objectives"):
        refuse("sweep", "needs one objective", "several of them as lanes", "sweep over each")
    steps = checked_steps(steps)
    values = {name: _axis(objective, rule, name, v) for name, v in dict(axes).items()}
    if not values:
        refuse("sweep", "needs at least one axis", axes, 'pass {"lr": values}')
    if paired and len({v.size for v in values.values()}) > 1:
        refuse("sweep", "needs paired axes of one length", {name: v.size for name, v in values.items()})
    x0 = np.asarray(start, dtype=float)
    if x0.shape != (objective.dim,) or not np.isfinite(x0).all():
        refuse("sweep", f"needs a start of {objective.dim} finite numbers", start)
    unknown = set(around) - {"clip", "clip_norm", "schedule", "noise", "seed"}
    if unknown:
        refuse("sweep", "needs arguments it knows", sorted(unknown))
    settings = {"clip": None, "clip_norm": None, "schedule": None, "noise": 0.0, "seed": 0, **around}
    checked = Around(**settings, batches=None, steps=steps)
    varied = {n: v for n, v in values.items() if n not in (*objective.names, "seed")}
    program = _program(objective, rule, varied, checked)
    grid = Grid(values, x0, steps, tuple(objective.names), program, checked, paired=paired)
    if program is None:
        grid.direct = (objective, rule, settings)
    else:
        grid.radius = program.radius(values)
    return grid


def _axis(objective: Any, rule: Any, name: str, values: Any) -> np.ndarray:
    """The values along one axis, checked by whoever owns the name."""
    try:
        array = np.array(values, dtype=int if name == "seed" else float)
    except (TypeError, ValueError):
        array = np.zeros(0)
    if array.ndim != 1 or not array.size or not np.isfinite(array).all():
        refuse("sweep", f"needs a list of finite numbers for axis '{name}'", values)
    shapes = objective.shape_names() if hasattr(objective, "shape_names") else []
    if isinstance(rule, Rule) and name in rule.hyperparameters() and not isinstance(getattr(rule, name), bool):
        type(rule)(**{**rule.settings(), name: array})  # its bounds, and what PyTorch refuses
    elif name in shapes and not hasattr(objective, "x"):
        for value in (array.min(), array.max()):
            type(objective)(**{name: float(value)})
    elif name in ("clip", "clip_norm"):
        if (array <= 0).any():
            refuse("sweep", f"needs a {name} above 0", float(array.min()))
    elif name == "seed":
        if (array < 0).any():
            refuse("sweep", "needs seeds of 0 or more", int(array.min()))
    elif name not in objective.names and (isinstance(rule, Rule) or name not in getattr(rule, "settings", ())):
        known = [*(rule.hyperparameters() if isinstance(rule, Rule) else ()), *objective.names, *shapes, *AROUND]
        refuse("sweep", "needs an axis that the rule or the objective has", name, f"choose from {', '.join(known)}")
    return array


def _program(objective, rule, varied, around) -> Program | None:
    """The traced program, or None where the rule can only be run lane by lane."""
    if not isinstance(rule, Rule):
        if not hasattr(rule, "walk"):
            refuse("sweep", "needs a rule such as SGD(lr=0.1)", rule)
        return None
    if around.schedule.cycled(rule):
        return None
    if not has_formula(objective) and (rule.stand is not None or rule.probe is not None):
        return None  # the slopes are given where the lanes are
    rates = ""
    if around.schedule.moves():
        rates = "row" if "lr" in varied else "one"
    clips = (("clip", around.clip), ("clip_norm", around.clip_norm))
    wanted = Wanted(objective, rule, tuple(varied), clips, rates, bool(around.noise))
    try:
        return traced(wanted)
    except TypeError:  # it branches on a value
        return None


def _labelled(grid: Grid, found: Mapping[str, np.ndarray], measure: Any) -> Any:
    """The measures as xarray's arrays, one dimension an axis."""
    import xarray

    names = ["run"] if grid.paired else list(grid.axes)
    places = {name: ("run", values) for name, values in grid.axes.items()} if grid.paired else grid.axes
    arrays = {
        name: xarray.DataArray(values.reshape(grid.shape), places, names, name, {"long_name": MEASURES[name]})
        for name, values in found.items()
    }
    return arrays[measure] if isinstance(measure, str) else xarray.Dataset(arrays)
