"""What a race says of itself: who is ahead, the table of places, what the racers have in common, and the notes."""

from __future__ import annotations

from typing import Any

from ..plurals import many
from ..theory.verdicts import shown
from .racers import COLOURS, OWN, SAME, STEP, TUNED


def standing(race: Any) -> str:
    """Who is ahead, at what loss, and what the racers have in common."""
    ahead, shared = race.results["places"][0], terms(race, race.tuning)
    if race.runs[ahead]["diverged"]:
        return f"<b>Every racer diverged.</b> {shared}"
    beyond = "" if race.results["lowest"] is None else " above the lowest"
    final = f"<b>{shown(final_of(race, ahead))}</b>{beyond}"
    return f"After {many(race.steps, 'step')} <b>{ahead}</b> is ahead, at a loss of {final}. {shared}"


def final_of(race: Any, name: str) -> float:
    """The loss that a racer ends at, above the lowest where that is known."""
    floor = 0.0 if race.results["lowest"] is None else race.results["lowest"]
    return float(race.runs[name]["loss"][-1] - floor)


def table(race: Any) -> str:
    """The racers by their places."""
    heads = ["Place", "Rule", "lr", "Final loss", f"Steps to {shown(race.tolerance)}"]
    rows = "".join([_row(race, place + 1, name) for place, name in enumerate(race.results["places"])])
    head = "".join([cell("th", text) for text in heads])
    return f'<table style="border-collapse: collapse; margin: 4px 0 0 10px"><tr>{head}</tr>{rows}</table>'


def _row(race: Any, place: int, name: str) -> str:
    run = race.runs[name]
    cells = [
        "" if run["diverged"] else f"{place}", f'<span style="color: {COLOURS[name]}">■</span> {name}',
        shown(run["lr"], 4),
        f"diverged, step {run['diverged']}" if run["diverged"] else shown(final_of(race, name)),
        f"{run['arrived']}" if run["arrived"] >= 0 else "–" if race.results["lowest"] is None else "never",
    ]  # fmt: skip
    return f"<tr>{''.join([cell('td', text) for text in cells])}</tr>"


def terms(race: Any, tuning: Any) -> str:
    """What the racers have in common."""
    clipped = f" Gradients are clipped at {race.clip:g}." if race.clip > 0 else ""
    if race.fairness == TUNED:
        ends = (0, race.trials - 1)
        edge = [n for n, t in tuning.items() if t["best"] in ends and not t["diverged"][t["best"]]]
        more = f" The best of {' and '.join(edge)} is the last one tried: widen the range." if edge else ""
        return (f"Each had {race.trials} trials, learning rates from {10**race.lowest:.3g} to "
                f"{10**race.highest:.3g}, and nothing else was tuned.{more}{clipped}")  # fmt: skip
    if getattr(race.objective, "stored", False):  # only in a page, which cannot run it at other learning rates
        wish = {OWN: "the one that you set for it", SAME: f"{race.lr:g}",
                STEP: f"an effective step lr / (1 − momentum) of {race.lr:g}"}[race.fairness]  # fmt: skip
        return f"Each races with the learning rate tried that is nearest to {wish}.{clipped}"
    said = {
        OWN: "Each has the learning rate that you set for it.", SAME: f"All have the learning rate {race.lr:g}.",
        STEP: f"All have an effective step lr / (1 − momentum) of {race.lr:g}.",
    }  # fmt: skip
    return said[race.fairness] + clipped


def cell(kind: str, text: str) -> str:
    """A cell of a table."""
    whole = "; white-space: nowrap" if kind == "td" else ""  # a title may take two lines on a phone
    return f'<{kind} style="text-align: left; padding: 1px min(14px, 2.4vw) 1px 0{whole}">{text}</{kind}>'


NOTES = """
<p><b>What is fair?</b> A rule looks good beside a badly tuned one. "Each tuned" gives every racer the same number of
trials over the same learning rates, each trial a run of its own, and lets the final loss decide; momentum and decay
rates stay as you set them. SGD and Adam are always in the race.</p>
<p><b>Same effective step.</b> With momentum the steps add up to lr / (1 − momentum): heavy ball and Nesterov get a
learning rate that much smaller. The running means of Adam, NAdam, RMSprop and Lion are weighted to add up to
one, so their step is lr already.</p>
<p><b>Learning rates.</b> A surface that you choose brings rates at which no racer diverges, and a range of rates to try
that holds some. One that you set stays while it works.</p>
<p><b>Sensitivity.</b> A wide valley forgives a wrong learning rate, a narrow one does not. Crosses at the top are
trials that are no longer finite; a curve that leaves through the top grew without overflowing; a grey triangle at the
bottom is a run that ends exactly at the lowest loss. Nothing is clipped unless you say so.</p>
"""
