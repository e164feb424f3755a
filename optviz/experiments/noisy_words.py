"""What is said of runs under gradient noise: where they ended, beside theory, in a sentence and a table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..page.tables import cell
from ..plurals import many
from ..theory.verdicts import shown
from .floors import BEYOND, deviation, deviations, drawable, forgetting, number
from .noisy_rates import APART

NOTES = f"""
<p><b>What is shown.</b> Every step adds a normal draw to each coordinate of the gradient. Faint lines are the
runs, the strong one their median; dots are where they end. Draws are kept while you move a knob, and a second
rule meets the same ones: what differs is the rule.</p>
<p><b>What to look for.</b> The runs do not settle at the minimum but around it. On a bowl of curvature l, SGD
with noise s keeps a variance of lr s² / (l (2 − lr l)): halve the learning rate and the ellipse loses half its
area. Momentum m makes it about 1 / (1 − m) times as large.</p>
<p><b>Theory.</b> Solid ellipses and dashed lines solve the discrete Lyapunov equation of the rule's own update
at the nearest lowest minimum, on its tangent bowl; dashed ellipses and the thick line are measured over the last
quarter of the steps. For rules that divide by running squares the floor holds only about, and the ellipse only
on an upright bowl; there is none for rules that step by a sign.</p>
<p><b>Learning rates.</b> A surface brings a rate at which none of 50 runs diverges under the noise as it stands, a rule
one where the rate that there is does not do.</p>
<p><b>Draws.</b> Run k has the seed plus {APART:,} k of numpy's default generator.</p>
"""


def ended(experiment: Any, place: str) -> str:
    """How the runs of a rule ended, and whether theory says so."""
    found, name = experiment.found[place], experiment.names()[place]
    if found["diverged"]:
        return _lost(experiment, found, name)
    if found["unstable"] and not found["floor"] < found["above"]:
        level = _level(experiment, shown(found["floor"]))
        return f"<b>{name} grows</b> to {level} in the last quarter. {found['sentence']}"
    if experiment.results["lowest"] is None:
        loss = found["floor"] + experiment.results["floor"]
        return f"In the last quarter {name} is at a loss of <b>{shown(loss)}</b> in the mean. {found['sentence']}"
    floor, seen = found["predicted_floor"], shown(found["floor"])
    measured = f"In the last quarter {name} stays {_level(experiment, f'<b>{seen}</b>')}"
    if floor is None or not np.isfinite(floor):
        return f"{measured}. {found['sentence']}"
    about = "about " if found["frozen"] else ""
    spread = ""
    if drawable(found["predicted"]):
        spread = f", spread σ {deviations(found['covariance'])} (theory {about}{deviations(found['predicted'])})"
    return f"{measured} (theory {about}<b>{shown(floor)}</b>){spread}. {forgetting(found)}".strip()


def _level(experiment: Any, above: str) -> str:
    of = " of the picture" if experiment.results["lowest"] is None else ""
    return f"{above} above the lowest loss{of}"


def _lost(experiment: Any, found: Any, name: str) -> str:
    """That runs are no longer finite: they fell without end where the surface lets them, else they diverged."""
    lost = f"{found['diverged']} of {many(experiment.runs, 'run')}"
    if _fell(experiment, found):
        return f"<b>{name}: {lost} left the surface</b>, which falls without end."
    return f"<b>{name}: {lost} diverged.</b> {found['sentence'] if found['unstable'] else ''}"


def _fell(experiment: Any, found: Any) -> bool:
    return experiment.results["lowest"] is None and found["fell"] == found["diverged"]


def table_rows(experiment: Any, place: str) -> str:
    """What was measured of a rule's runs, beside what theory has."""
    found, name = experiment.found[place], experiment.names()[place]
    known, lost = experiment.results["lowest"] is not None, "left" if _fell(experiment, found) else "diverged"
    level = found["floor"] if known else found["floor"] + experiment.results["floor"]
    levels = [lost if found["diverged"] else number(level, BEYOND), number(found["predicted_floor"])]
    rows = [[f"{name}: {'loss floor' if known else 'mean loss'}", *levels]]
    for k, which in ((1, "widest"), (0, "narrowest")):
        seen = lost if found["diverged"] else deviation(found["covariance"], k, BEYOND)
        rows = [*rows, [f"{name}: {which} σ", seen, deviation(found["predicted"], k)]]
    return "".join([f"<tr>{''.join([cell('td', text) for text in row])}</tr>" for row in rows])


UNREAD = "; first runs=; first band=; second runs=; second band="


def called(said: Mapping[str, str]) -> str:
    """What a reading calls the curves of these labels (see `assets/readings.js`); one without a name is not read."""
    return "names " + "; ".join([f"{label}={text}" for label, text in said.items()]) + UNREAD
