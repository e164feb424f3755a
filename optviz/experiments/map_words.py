"""What a hyperparameter map says of its axes and colours, in words."""

from __future__ import annotations

from typing import Any

from ..maps.axes import Axis, words
from ..maps.ends import limit_moves
from ..plurals import many

COLOURS = {"loss": "final loss", "arrived": "steps to the tolerance", "rank": "rank"}


def heading(colour: str, across: Axis, up: Axis) -> str:
    """The title of a map."""
    text = f"{COLOURS[colour]}, by {across.label} (across) and {up.label} (up)"
    return text[:1].upper() + text[1:]


def pointed(colour: str, across: Axis, up: Axis, lowest: float | None) -> str:
    """What `optviz.pictures.plot_hooks.pointer` says of the cell under the pointer, its numbers by Bokeh's names."""
    x, y = [f"{axis.label} ${name}{{{'log' if axis.log else 'plain'}}}" for axis, name in ((across, "x"), (up, "y"))]
    loss = "pictured" if lowest is None else "loss" if lowest == 0 else "above"
    said = {"loss": loss, "arrived": "step", "rank": "rank"}[colour]
    return f"{x}, {y}: $sx{{{said}}}"


def aim(lowest: float | None) -> str:
    """What a loss is measured from: the lowest of the picture where the surface has none, but falls without end."""
    return "the lowest loss" if lowest is not None else "the lowest loss of the picture"


def scales(colour: str, ends: tuple[float, float], steps: int) -> dict[str, str]:
    """What the ends of both colour scales say."""
    loss = f"loss {10.0 ** ends[0]:.1g} to {10.0 ** ends[1]:.2g}"
    stays = {"loss": loss, "arrived": f"0 to {many(steps, 'step')}", "rank": "best to worst"}[colour]
    return {"stays": stays, "grows": "ends above its start: slow to fast"}


def lacking(who: str, side: str, asked: str, got: str) -> str:
    """Why an axis is not what it was asked to be."""
    return f" {who} has no {words(asked)}: {side} is {words(got)} instead."


def limitless(rule: Any, sides: tuple[str, str]) -> str:
    """Why no limit is drawn where one may be looked for; empty elsewhere."""
    if "lr" not in sides or not limit_moves(rule):
        return ""
    return f"No limit is drawn: it moves with what {type(rule).__name__} divides by, which is each run's own. "


NOTES = """
<p><b>What is shown.</b> Every cell is a real run with its own two numbers; nothing is interpolated. Click a cell:
its numbers become the run's, whose path, loss and formula stand beside. Pan, turn the wheel or zoom in on the run: the
visible part is computed anew, with few cells at once and with many when you rest.</p>
<p><b>Colours.</b> Blue is a low final loss, light one as high as at the start; below the scale's ten decades a
cell has the darkest blue. Ember cells end above their start or are no longer finite, the darker the faster they grow:
a decade a step and more is darkest. Grey ones never came within the tolerance.</p>
<p><b>The dashed line</b> is the learning rate up to which theory says that the rule is stable at the minimum. On a
quadratic map and line agree; elsewhere a run may leave long before, or settle beyond. Rules that divide by running
squares, Adam and its kin, have no line: their limit moves with the gradients of each run.</p>
<p><b>The tanh net</b> w1 tanh(w2 x) shows how jagged the border between training and divergence is
(Sohl-Dickstein, arXiv 2402.06184): zoom in on it.</p>
"""
