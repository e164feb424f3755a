"""What a page that Python computes has of the runtime: its buttons, its stage, its player (`runtime/remote.js`).

A hidden field joins them: its text says what the page asks, its tags what there is, and neither says what is drawn.
"""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import numpy as np
import panel as pn

from ..page.insides import models_of
from ..page.layout import stylesheet
from ..page.pace import Later, Turn
from ..page.page import Page
from ..pictures.playheads import INKS, arrow_columns, arrow_scale
from ..readings.equations import rule_mathml
from ..readings.letters import corrections, letters
from ..rules.rule import Rule
from ..runs.steps import UP, Played, last_step, letters_at, parts_of
from ..runtime.modules import script
from ..state import sharing
from ..state.values import RESERVED
from .bundle import Bundle
from .page import control_specs, figure_spec
from .skeleton import inline

HERE = "optviz remote"  # tags the field, as runtime/remote.js knows it
ENTRIES = ("dollar.js", "remote.js")
LONGEST = 20_000  # characters of what a page asks


@cache
def remote_script() -> str:
    """The script that opens what belongs to such a page: `optviz_remote(share)`, once it is read."""
    bundle = Bundle()
    drawing = ", ".join(f"{f.__name__}: {bundle.text(f)}" for f in (arrow_columns, arrow_scale))
    drawing = f"{{ {drawing}, inks: {bundle.text(INKS)} }}"
    return f"""window.optviz_remote ??= (() => {{
"use strict";
{script(ENTRIES)}
{bundle.source}
return (share) => open_remotes({drawing}, share);
}})();
"""


def place() -> pn.pane.HTML:
    """Where there is no page around it, in a notebook for one: what a page has in its header and at its foot."""
    text = f'<div class="remote"></div>{inline(f"{remote_script()}optviz_remote();")}'
    sheets = [stylesheet(name) for name in ("player.css", "stage.css", "remote.css")]
    return pn.pane.HTML(text, tags=[f"{HERE} place"], stylesheets=sheets, sizing_mode="stretch_width", margin=0)


class Remote:
    """Tells a page's script what Python has, and does what it asks."""

    PAUSE = 0.08  # seconds in which changes are told once

    def __init__(self, page: Page):
        self.page, self.experiment = page, page.experiment
        self.channel = pn.widgets.TextInput(visible=False, tags=[HERE])
        self.channel.param.watch(self._hear, "value")
        self.go = sharing.opening(self.experiment)
        self.began = sharing.query(self.experiment)
        self._asked: dict[str, Any] = {}
        turn = Turn(pn.state.curdoc)
        self._later = Later(lambda: turn.take(self._tell), self.PAUSE)
        page.put_below_controls("remote", self.channel)

    def push(self) -> None:
        """Have the page told of a change, once it has asked for the first time."""
        if self._asked:
            self._later.ask()

    def _hear(self, event: Any) -> None:
        before = self._asked
        try:
            asked = json.loads(event.new) if len(event.new) < LONGEST else {}
            number, query, afresh = asked.get("go") or (0, "", False)
            walk, step = asked.get("walk"), asked.get("stand")
            known = isinstance(number, int) and isinstance(query, str) and (walk is None or isinstance(walk, int))
        except (ValueError, TypeError, AttributeError, RecursionError):
            return  # any text may come over the wire
        if not known:
            return
        self._asked = {"open": True, "went": number, "walk": walk, "stand": step}
        if number != before.get("went", 0):
            self.go(query, bool(afresh))
        elif isinstance(step, int) and step != before.get("stand") and self.experiment.stands() >= 0:
            self.experiment.param.update(**self.experiment.stand(step))
        self._tell()

    def _tell(self) -> None:
        tags: list[Any] = [HERE, self._told()]
        there = not self.experiment.message and not self.experiment.rough()  # a walk of what goes on would be made anew
        if there and self._asked.get("walk") is not None:
            tags.append(self._walk(self._asked["walk"]))
        self.channel.tags = tags
        pn.io.push_notebook(self.page.layout)

    def _told(self) -> dict[str, Any]:
        page, experiment = self.page, self.experiment
        owners = {id(experiment): None} | sharing.members_by_id(experiment)
        panes = [knobs for knobs in page.layout.select(pn.Param) if models_of(knobs) and id(knobs.object) in owners]
        controls = [spec for knobs in panes for spec in control_specs(knobs, owners)]
        return {
            "query": sharing.query(experiment), "began": self.began, "went": self._asked.get("went", 0),
            "message": experiment.message, "reserved": list(RESERVED), "controls": controls,
            "root": next((model.id for model in models_of(page.layout)), None),
            "figures": [figure_spec(live) for live in page.figures.values()],
            "frames": {n: [list(map(float, d.xlim)), list(map(float, d.ylim))] for n, d in experiment.drawings.items()},
            "stands": int(experiment.stands()), "runs": [self._said(played) for played in experiment.played()],
        }  # fmt: skip

    def _said(self, played: Played) -> dict[str, Any]:
        shown = 1 if played.up == UP else played.run.x.shape[2]
        names = list(getattr(played.objective, "names", None) or ("x", "y"))[:shown]
        return {"label": played.label, "steps": int(played.steps), "last": last_step(played), "figure": played.figure,
                "gone": int(played.run.diverged[played.lane]), "across": played.across, "up": played.up,
                "names": names}  # fmt: skip

    def _walk(self, place: int) -> dict[str, Any]:
        """Where every step stands, and what one run is made of."""
        runs = self.experiment.played()
        if not runs:
            return {}
        place = min(max(place, 0), len(runs) - 1)
        last = max(map(last_step, runs))
        return {"marks": [_plain(self.experiment.playhead(k)) for k in range(last + 1)],
                "run": {"place": place, **_made_of(runs[place])}}  # fmt: skip


def _made_of(played: Played) -> dict[str, Any]:
    rule, steps = played.rule, max(last_step(played), 1)
    corrected = corrections(type(rule))
    found = [letters_at(played, t) for t in range(1, min(steps, played.run.steps) + 1)]
    sides = [{n: [each[i][n] for each in found] for n in side} for i, side in enumerate(found[0] if found else [])]
    return {
        "x": np.ravel(played.run.x[:, played.lane]).astype(float).tolist(), "sides": sides,
        "loss": played.run.loss[:, played.lane].astype(float).tolist(),
        "parts": {n: {"data": np.ravel(v).astype(float).tolist(), "shape": list(v.shape)}
                  for n, v in parts_of(played, corrected).items()},
        "letters": letters(type(rule)) if isinstance(rule, Rule) and sides else {},
        "formula": rule_mathml(rule),
    }  # fmt: skip


def _plain(shown: dict[str, Any]) -> dict[str, Any]:
    """Columns as lists, which a short text carries."""
    return {
        figure: {layer: {n: np.asarray(v).tolist() for n, v in columns.items()} for layer, columns in layers.items()}
        for figure, layers in shown.items()
    }
