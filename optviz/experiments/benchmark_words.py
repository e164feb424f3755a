"""What a benchmark says of itself: who leads and whether that is decided, two tables, and the notes."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..plurals import many
from ..theory.verdicts import shown
from .race_words import cell


def standing(made: Any) -> str:
    """Who leads, and whether that is decided."""
    found, racers = made.results, made.results["racers"]
    tried = (
        f"{many(made.trials, 'trial')} in each of {made.studies} studies on {many(len(found['workloads']), 'workload')}"
    )
    lead = found["order"][0]
    if float(found["score"][lead]) == 0:
        return f"After {tried} <b>no rule reaches the target.</b>"
    said = f"After {tried} <b>{racers[lead]}</b> has the highest score, <b>{found['score'][lead]:.2f}</b>. "
    first, last = found["places"][lead]
    if first == last:
        return f"{said}That is decided: its lead is larger than the spread of the studies."
    others = [racers[k] for k in found["order"] if k != lead and not found["apart"][lead, k]]
    return f"{said}<b>Not decided:</b> its lead over {joined(others)} is within the spread of the studies."


def joined(names: Any) -> str:
    """Names in a sentence."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def table(made: Any) -> str:
    """The rules by their scores."""
    head = "".join([cell("th", text) for text in ("Place", "Decided", "Rule", "Score", "In the studies", "Solved")])
    rows = "".join([_row(made, k) for k in made.results["order"]])
    return (f'<div style="overflow-x: auto; margin: 4px 0 8px"><table style="border-collapse: collapse">'
            f"<tr>{head}</tr>{rows}</table></div>")  # fmt: skip


def _row(made: Any, k: int) -> str:
    found = made.results
    first, last = found["places"][k]
    place, decided = (f"{first}", "yes") if first == last else (f"{first} to {last}", "no")
    own = found["study_scores"][:, k]
    solved = int(np.sum(np.isfinite(found["times"][k])))
    name, ink = found["racers"][k], found["inks"][k]
    cells = [place, decided, f'<span style="color: {ink}">■</span> {name}', f"{found['score'][k]:.2f}",
             f"{np.min(own):.2f} to {np.max(own):.2f}", f"{solved} of {len(found['workloads'])}"]  # fmt: skip
    return f"<tr>{''.join([cell('td', text) for text in cells])}</tr>"


def steps_table(made: Any) -> str:
    """The steps of each rule to the target on each workload."""
    found = made.results
    head = "".join([cell("th", text) for text in ("Surface", "Start", *found["racers"])])
    rows = "".join([_steps(made, w) for w in range(len(found["workloads"]))])
    said = f"<p>Steps to {shown(made.tolerance)} above the lowest loss, and their range over the studies.</p>"
    return (f'{said}<div style="overflow-x: auto"><table style="border-collapse: collapse"><tr>{head}</tr>{rows}'
            "</table></div>")  # fmt: skip


def _steps(made: Any, w: int) -> str:
    """A workload's row: the least steps are bold, all of them where the studies do not decide between rules."""
    found = made.results
    times, each = found["times"][:, w], found["study_times"][:, w]
    field, (x, y) = found["workloads"][w]
    best = np.min(times)
    reach = [np.max(each[k]) for k in range(len(times)) if times[k] == best][0]
    cells = [field, f"({shown(x)}, {shown(y)})"]
    for k in range(len(times)):
        low, high = float(np.min(each[k])), float(np.max(each[k]))
        span = "" if low == high else f" ({counted(low)} to {counted(high)})"
        text = f"{counted(float(times[k]))}{span}"
        cells += [f"<b>{text}</b>" if np.isfinite(times[k]) and low <= reach else text]
    return f"<tr>{''.join([cell('td', text) for text in cells])}</tr>"


def counted(steps: float) -> str:
    """A number of steps, a median of two of them perhaps."""
    return f"{steps:g}" if np.isfinite(steps) else "never"


NOTES = """
<p><b>What is fair?</b> Every rule is tuned with the same trials: points of one quasi-random stream (Halton's), which
fills the range of learning rates evenly. The whole tuning is done again in other studies, with the next points of the
stream. What changes from study to study is luck.</p>
<p><b>Steps to the target.</b> On a workload, a surface with a start, a study's time is the least steps of its trials to
the target, and the rule's time the median over the studies. It is never where most studies never arrive.</p>
<p><b>Score.</b> The profile is the share of workloads on which a rule needs at most so many times the best rule's
steps; its mean from 1 to 4 times is the score: 1 for a rule that is best everywhere, 0 for one that never comes near
(AlgoPerf, arXiv 2306.07179). Scores are relative: another rule in the race changes them.</p>
<p><b>Not decided.</b> Two scores that differ by no more than one of them does from study to study. Ranks change with
the budget: a rule that needs little tuning leads while trials are few. In the table of steps all times are bold that
reach into the best one's range.</p>
"""
