"""What a page needs of rules, objectives, losses and schedules: kernels, formulas, menus."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from itertools import chain, combinations, product
from time import perf_counter
from typing import Any

import numpy as np
import param

from .. import disk, menus, messages
from ..maps import axes, basins, ends
from ..maps.basins import local_minima, minima_of_kind
from ..messages import refuse
from ..objectives import minima
from ..objectives.formula import Formula
from ..objectives.losses import DataLoss, Lanes
from ..objectives.objective import Objective
from ..objectives.stacked import Stacked
from ..pictures import scene
from ..races import arrivals
from ..readings import equations, schedules
from ..readings.equations import hyper_symbol, objective_mathml, symbol_of
from ..readings.letters import bare, corrections, letters
from ..readings.mathml import symbol_mathml
from ..rules import rule, schedule_menu
from ..rules.rule import Rule
from ..rules.schedule import Schedule
from ..runs import descent, linear_filter, steps
from ..theory import stability
from .bundle import Bundle
from .bundle import members as members_of
from .forms import form_text
from .formulas import formulas
from .kernels import chosen_key, loss_script, objective_script, rule_script, schedule_script
from .printer import quoted

# what the runtime provides under a name of its own
NATIVES: dict[Any, str] = {
    descent.descend: "$.descend", linear_filter.filtered: "$.filtered", scene.line_columns: "$.line_columns",
    arrivals.arrivals: "$.arrivals",
    ends.lane_map: "$.lane_map", ends.ranks: "$.ranks", menus.names_of: "$.names_of", menus.setting: "$.setting",
    menus.with_setting: "$.with_setting", basins.local_minima: "$.local_minima",
    basins.basin_map: "$.basin_map", minima.lowest_loss: "$.lowest_loss",
    perf_counter: "$.perf_counter", messages.refuse: "$.refuse", rule.shut: "$.shut",
    menus.label_of: "$.label_of",
    equations.rule_mathml: "$.rule_mathml", equations.objective_mathml: "$.objective_mathml",
    equations.hyperparameter_mathml: "$.hyperparameter_mathml",
    schedules.schedule_mathml: "$.rule_mathml", schedules.schedule_letters: "$.hyperparameter_mathml",
    schedule_menu.made_schedule: "$.made_schedule",
    stability.eigen_of_more: "$.eigen_of_more", steps.settings_at: "$.settings_at",
    steps.bend_at: "$.bend_at", steps.walk_of: "$.walk_of", steps.measured: "$.measured",
    Lanes: "$.lanes", Stacked: "$.lanes",
}  # fmt: skip
_ROW = re.compile("(?=<mtr>)")  # formulas of one rule have most of their rows in common
# what is known of all rules and surfaces when a page is written
KNOWN = (axes.spans, axes.labels, axes.momenta, schedule_menu.schedule_kinds, schedule_menu.usual_numbers,
         schedule_menu.brought_numbers)  # fmt: skip


def printed(value: Any, bundle: Bundle) -> str | None:
    """The JavaScript of a rule, an objective, a loss or a schedule, class or instance; else None."""
    if any(value is each for each in KNOWN):
        return f"() => ({bundle.text(value())})"
    if value is Formula:
        return formulas(bundle)
    if isinstance(value, Formula):
        return f"{bundle.text(Formula)}(new $.Kw({bundle.text(value.arguments())}))"
    if isinstance(value, type):
        for base, text in ((Rule, _rule), (DataLoss, _loss), (Objective, _surface), (Schedule, _schedule)):
            if issubclass(value, base):
                return text(value, bundle)
    if isinstance(value, Schedule):
        return _made_schedule(value, bundle)
    if isinstance(value, Rule):
        return _made(value, value.values(), bundle)
    if isinstance(value, DataLoss):
        return _made_loss(value, bundle)
    if isinstance(value, Objective) and hasattr(value, "traced"):
        return _made_surface(value, bundle)
    return form_text(value, bundle)


def _made(value: Any, settings: Mapping[str, Any], bundle: Bundle) -> str:
    return f"{bundle.text(type(value))}(new $.Kw({bundle.text(dict(settings))}))"


def _rule(cls: type[Rule], bundle: Bundle) -> str:
    place = bundle.place
    typeset = disk.lasting("formulas", cls, lambda: rule_formulas(cls))
    symbols = {n: place(symbol_mathml(hyper_symbol(cls, n))) for n in cls.hyperparameters()}
    each = {n: place(text) for n, text in letters(cls).items()}
    rows = {key: [place(row) for row in _ROW.split(text)] for key, text in typeset.items()}
    more = {"off": dict(equations.idle_values(cls)), "symbols": symbols, "formulas": rows,
            "letters": each, "corrections": corrections(cls)}  # fmt: skip
    bundle.late["mathml$texts"] = lambda: _json(list(bundle.texts))
    refusal = members_of(cls, ["check"], bundle).replace("{check:", "{refusal:")
    return f"$.kinds.rule({{...{rule_script(cls)}, ...{_json(more)}, texts: mathml$texts, members: {refusal}}})"


def rule_formulas(cls: type[Rule]) -> dict[str, str]:
    """A rule's formula for every setting of its flags and whatever is switched off: a 1 for each that is on, or off."""
    flags = [n for n in cls.hyperparameters() if isinstance(cls.param[n].default, bool)]
    idle = [n for n, _ in equations.idle_values(cls)]
    subsets = list(chain.from_iterable(combinations(idle, k) for k in range(len(idle) + 1)))
    found = {}
    for setting in product((False, True), repeat=len(flags)):
        key = "".join(str(int(on)) for on in setting)
        for off in subsets:
            _, text = equations.typeset(cls, tuple(zip(flags, setting, strict=True)), off)
            found[f"{key}|{''.join(str(int(name in off)) for name in idle)}"] = text
    return found


def _surface(cls: type[Objective], bundle: Bundle) -> str:
    return _surface_kind(cls(), cls, bundle)


def _surface_kind(made: Objective, source: Any, bundle: Bundle) -> str:
    symbols = {n: symbol_mathml(symbol_of(type(made), n)) for n in made.shape_names()}
    more = {"formula": objective_mathml(made), "symbols": symbols}
    local, bottom = f"minima${len(bundle.late)}", f"bottom${len(bundle.late)}"
    bundle.late[local] = lambda: _minima(made, source, bundle)
    bundle.late[bottom] = lambda: _bottom(made, bundle)
    live = [n for n in ("domain", "minima", "starts") if isinstance(getattr(type(made), n, None), property)]
    inside = members_of(type(made), live, bundle)
    late = f"local: {local}, bottom: {bottom}"
    return f"$.kinds.surface({{...{objective_script(source)}, ...{_json(more)}, {late}, members: {inside}}})"


def _minima(made: Objective, source: Any, bundle: Bundle) -> str:
    """A surface's minima, which take a while to find, for a page that asks for them."""
    follows = made.lowest is None and len(made.shape_names()) > 0  # the lowest loss follows from them
    if NATIVES[basins.local_minima] not in bundle.asked and not (follows and _asks_lowest(bundle)):
        return "null"

    def search() -> dict[str, Any]:
        local = local_minima(made) if source is made else minima_of_kind(type(made))
        return {**{name: local[name].tolist() for name in ("points", "values", "valleys")}, "reach": local["reach"]}

    given = (list(made.shape_values()), np.asarray(made.domain).tolist())
    return _json(search() if source is made else disk.lasting("minima", type(made), search, *given))


def _bottom(made: Objective, bundle: Bundle) -> str:
    """A surface's lowest loss, which may have to be found, for a page that asks for it."""
    return _json(minima.lowest_loss(made) if _asks_lowest(bundle) else None)


def _asks_lowest(bundle: Bundle) -> bool:
    return NATIVES[minima.lowest_loss] in bundle.asked


def _made_surface(value: Objective, bundle: Bundle) -> str:
    settings = dict(zip(value.shape_names(), value.shape_values(), strict=True))
    if "traced" in vars(value) and type(value).__name__ == "Function":  # a user's: no class knows its formula
        return f"{_surface_kind(value, value, bundle)}()"
    return _made(value, settings, bundle)


def _loss(cls: type[DataLoss], bundle: Bundle) -> str:
    criteria = cls.param["loss"].objects if "loss" in cls.param else [""]
    readings = ", ".join(f"{quoted(c)}: {loss_script(cls, c)}" for c in criteria)
    return f"$.kinds.loss({{{readings}}})"


def _made_loss(value: DataLoss, bundle: Bundle) -> str:
    settings = {"loss": value.criterion()} | dict(zip(value.shape_names(), value.shape_values(), strict=True))
    keywords = f"new $.Kw({bundle.text(settings)})"
    data = ", ".join(bundle.text(given) for given in value.given())
    return f"{bundle.text(type(value))}({data}, {keywords})"


def _schedule(cls: type[Schedule], bundle: Bundle) -> str:
    symbols = {name: bare(schedules.symbol_of(cls, name)) for name in schedules.numbers_of(cls)}
    named = [tuple(zip(cls.choices(), each, strict=True)) for each in product(*cls.choices().values())]
    found = {chosen_key(value for _, value in each): schedules.rows_of(cls, each) for each in named}
    rows = list(dict.fromkeys(row for each in found.values() for row in each))
    formulas = {key: [rows.index(row) for row in each] for key, each in found.items()}
    more = {"symbols": symbols, "rows": rows, "formulas": formulas, "shown": schedule_menu.shown_numbers(cls)}
    return f"$.kinds.schedule({{...{schedule_script(cls)}, ...{_json(more)}}})"


def _made_schedule(value: Schedule, bundle: Bundle) -> str:
    """A schedule of somebody's own, by its formula; a list or a function of Python's has none."""
    kind = type(value)
    still = [n for n in kind.own() if isinstance(kind.param[n], param.Boolean) and kind.param[n].precedence == -1]
    if kind.rate is Schedule.rate or any(getattr(value, name) != kind.param[name].default for name in still):
        refuse("save", "needs a schedule whose formula a page can have", kind.__name__, "choose one of the menu")
    return _made(value, {name: getattr(value, name) for name in [*kind.own(), *kind.shared()]}, bundle)


def _json(value: Any) -> str:
    return json.dumps(value).replace("</", "<\\/")
