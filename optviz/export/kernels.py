"""Definitions as JavaScript object literals: rules, objectives, losses and schedules.

Each function in a literal is printed from what a tape records when the Python definition is called:
the same operations in the same order, so JavaScript gives the numbers of the float run.
`descent.js` has the classes that take the literals, and the helpers their operators need; `walk` is what
`runs.js` makes one function of, for a rule on a surface: statements on numbered locals, apart by how often they run.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from itertools import product
from types import SimpleNamespace
from typing import Any

import numpy as np
import param

from ..menus import label_of
from ..messages import refuse
from ..objectives.losses import DataLoss
from ..objectives.objective import Objective
from ..rules.rule import Rule
from ..rules.schedule import Schedule, momentum_of, unnamed
from ..runs.descent import keeper
from ..trace.javascript import Statements, number
from ..trace.tape import FIXED, RECORD, ROW, SCALAR, STEP, Tape


class Script(str):
    """Text that is JavaScript already, where other text would be quoted."""


def rule_script(cls: type[Rule]) -> Script:
    """An update rule as the literal that `new Rule(literal, values)` takes.

    `update` has one function (h, s, x, g, t) for each setting of the flags, under a key such
    as "01"; it leaves the named terms in `s`, where the next step finds those that are carried.
    """
    flags = [name for name in cls.hyperparameters() if isinstance(cls.param[name].default, bool)]
    readings = {}
    for setting in product((False, True), repeat=len(flags)):
        chosen = dict(zip(flags, setting, strict=True))
        try:
            readings["".join(str(int(on)) for on in setting)] = _update(cls, chosen)
        except Exception:
            if not _refused(cls, chosen):
                raise
    return literal({
        "name": cls.__name__,
        "label": label_of(cls),
        "hyperparameters": cls.hyperparameters(),
        "flags": flags,
        "defaults": {name: cls.param[name].default for name in cls.hyperparameters()},
        "preset": cls.preset,
        "presetSteps": getattr(cls, "preset_steps", None),
        "memory": cls.memory,
        "coupled": cls.coupled,
        "momentum": momentum_of(cls),
        **({"curvature": True} if cls.curvature else {}),
        **{part: {key: each[part] for key, each in readings.items()} for part in next(iter(readings.values()), {})},
    })  # fmt: skip


def objective_script(objective: Objective | type[Objective]) -> Script:
    """A surface, or its class, as the literal that `new Surface(literal, shape)` takes.

    `value`, `gradient` and `hessian` are functions of the coordinates and the shape parameters;
    a domain, minima or starts that depend on the shape parameters are left out.
    """
    made = objective() if isinstance(objective, type) else objective
    if not hasattr(made, "traced"):
        refuse("objective_script", "needs an objective with a formula", made)
    declared = {name: getattr(made, name) for name in ("domain", "minima", "starts") if not _is_live(made, name)}
    shape = dict(zip(made.shape_names(), made.shape_values(), strict=True))
    about = {"name": type(made).__name__, "label": label_of(made), "names": made.names, "is_curve": made.is_curve,
             "usual_steps": made.usual_steps, "at_edge": made.at_edge}  # fmt: skip
    return literal({**about, **declared, "lowest": made.lowest, **_readings(made.traced, made.names, [], shape)})


def loss_script(loss: DataLoss | type[DataLoss], criterion: str = "") -> Script:
    """A loss over data, or its class, as the literal that `new DataLoss(literal, x, y, shape)` takes.

    `value`, `gradient` and `hessian` are those of one sample, functions of the parameters,
    the sample's x and y, and the shape parameters. A class may need its `criterion`.
    """
    made = loss
    if isinstance(loss, type):  # made with any data: the formula is one sample's
        made = loss(*([0.0, 1.0] for _ in loss.columns), **({"loss": criterion} if criterion else {}))
    shape = dict(zip(made.shape_names(), made.shape_values(), strict=True))
    about = {"name": type(made).__name__, "label": label_of(made), "criterion": made.criterion(), "names": made.names,
             "columns": made.columns}  # fmt: skip
    declared = {"domain": made.domain, "starts": made.starts}
    return literal({**about, **declared, **_readings(made.traced, made.names, made.columns, shape)})


def schedule_script(cls: type[Schedule]) -> Script:
    """A schedule as the literal that `new Schedule(literal, values)` takes.

    `rate` has one function (h, lr, t) for each setting of the texts and flags, under a key such as "cos true", and
    `momentum` one (h, t) where it cycles that.
    """
    choices = cls.choices()
    own = {name: cls.param[name] for name in cls.own()}
    still = {name: each.default for name, each in own.items() if isinstance(each, param.Boolean)}
    names = [name for name in own if name not in choices and name not in still]
    rate, momentum = {}, {}
    for setting in product(*choices.values()):
        key = chosen_key(setting)
        tape = Tape()
        numbers = {name: tape.input(f"h{k}", SCALAR, FIXED) for k, name in enumerate(names)}
        h, t = (
            SimpleNamespace(**{**still, **numbers, **dict(zip(choices, setting, strict=True))}),
            tape.input("t", SCALAR),
        )
        found = cls.rate(h, tape.input("lr", SCALAR), t, unnamed, RECORD)
        rate[key] = function_text([taken("h", names), "lr", "t"], found)
        if cls.cycles:
            momentum[key] = function_text([taken("h", names), "t"], cls.momentum(h, t, unnamed, RECORD))
    defaults = {name: cls.param[name].default for name in [*cls.own(), *Schedule.shared()]}
    about = {
        "name": cls.__name__,
        "defaults": defaults,
        "whole": cls.whole,
        "never": cls.never,
        "like": cls.like,
        "choices": list(choices),
    }
    return literal({**about, "rate": rate, **({"momentum": momentum} if cls.cycles else {})})


def chosen_key(setting: Iterable[Any]) -> str:
    """What a schedule's formulas are found by: its texts and flags as JavaScript's `String` has them."""
    return " ".join(str(value).lower() if isinstance(value, bool) else str(value) for value in setting)


def _refused(cls: type[Rule], flags: Mapping[str, bool]) -> bool:
    try:
        cls(**flags)
    except ValueError:
        return True
    return False


def _update(cls: type[Rule], flags: Mapping[str, bool]) -> dict[str, Any]:
    """The names of a rule's terms, its update as a function, and its part of a walk, with these flags."""
    tape, named = Tape(), {}
    hypers = [n for n in cls.hyperparameters() if n not in flags]
    numbers = {n: tape.input(f"h{k}", SCALAR, FIXED) for k, n in enumerate(hypers)}
    h = SimpleNamespace(**flags, **numbers)
    memory = SimpleNamespace(**{term: tape.input(f"s{k}", ROW) for k, term in enumerate(cls.memory)})
    x, g = ([tape.input(f"{v}{i}", ROW) for i in range(2)] if cls.coupled else tape.input(v, ROW) for v in "xg")
    stand = None if cls.stand is None else cls.stand(h, memory, x)
    if cls.curvature:
        H = [[tape.input(f"H{2 * i + j}", ROW) for j in range(2)] for i in range(2)]
        memory.H = H if cls.coupled else tape.input("H", ROW)
    step = cls.update(h, memory, x, g, tape.input("t", SCALAR), keeper(named), RECORD)
    moved = [tape.record("add", pair) for pair in (zip(x, step, strict=True) if cls.coupled else [(x, step)])]
    kept = [named.get(term, getattr(memory, term)) for term in cls.memory]
    walk = Statements({"each": [*kept, *moved]}, "r", hoisted=True)
    about = {
        "begins": [_begin(v, hypers) for v in cls.memory.values()],
        "memory": [*map(walk.text, kept)], "moved": [*map(walk.text, moved)], "powers": walk.powers,
    }  # fmt: skip
    # carried terms are read before their new values are stored
    heads = [f"const {taken('s', cls.memory)} = s;"] if cls.memory else []
    update_heads = [*heads, *_curvature(cls)]
    places = ["[x0, x1]", "[g0, g1]"] if cls.coupled else ["x", "g"]
    update = function_text([taken("h", hypers), "s", *places, "t"], step, update_heads, named)
    found = {"terms": list(named), "update": update}
    if stand is not None:
        found["stand"] = function_text([taken("h", hypers), "s", places[0]], stand, heads)
        about |= _block("stand", stand)
    if cls.probe is not None:
        points = [[tape.input(f"{v}{i}", ROW) for i in range(2)] for v in "xg"]
        probe = list(cls.probe(h, *points, RECORD))
        found["probe"] = function_text([taken("h", hypers), "[x0, x1]", "[g0, g1]"], probe)
        about |= _block("probe", probe)
    return {**found, "walk": {**walk.blocks(), **about}}


def _begin(first: Any, hypers: Sequence[str]) -> str:
    """What a carried term begins with; of each coordinate's own start x."""
    if isinstance(first, str) and first not in hypers:
        return first if first == "x" else f"x{int(first[2:]) - 1}"
    return f"h{hypers.index(first)}" if isinstance(first, str) else number(first)


def _curvature(cls: type[Rule]) -> list[str]:
    """What takes the Hessian to its numbered locals."""
    if not cls.curvature:
        return []
    return ["const [[H0, H1], [H2, H3]] = s.H;"] if cls.coupled else ["const { H } = s;"]


def _block(name: str, result: Any) -> dict[str, Any]:
    """Statements and the results of what a walk does before its step."""
    results = list(result) if isinstance(result, list | tuple) else [result]
    found = Statements({"body": results}, "u")
    return {name: " ".join(found.lines["body"]), f"{name}s": [*map(found.text, results)]}


def _readings(traced: Any, names: Sequence[str], data: Sequence[str], shape: Mapping[str, float]) -> dict[str, Any]:
    """The functions of a formula, the shape parameters that follow its other arguments, `call`, and the part of a walk.

    `call` hands a point and the shape's values to one of the functions: a spread call in the
    page's inner loops would take ten times as long. Nothing walks through one sample of data.
    """
    tape, own = Tape(), [f"p{k}" for k in range(len(shape))]
    arguments = [*(f"x{i}" for i in range(len(names))), *data, *own]
    given = [tape.input(n, *((SCALAR, FIXED) if n in own else (ROW, STEP))) for n in arguments]
    formulas = {"value": traced.value, "gradient": traced.gradient, "hessian": traced.hessian}
    found = {name: formula.called(vars(RECORD), *given) for name, formula in formulas.items()}
    texts = {n: function_text(arguments, each if n != "value" else each[0]) for n, each in found.items()}
    walk = Statements({"here": found["value"] + found["gradient"], "bend": found["hessian"]}, "f", hoisted=True)
    results = {name: [*map(walk.text, each)] for name, each in found.items()}
    handed = ", ".join(
        [*(f"point[{i}]" for i in range(len(names))), *data, *(f"shape[{k}]" for k in range(len(shape)))]
    )
    return {
        "shape": list(shape), "shapeDefaults": list(shape.values()),
        "call": Script(f"({', '.join(['reading', 'point', *data, 'shape'])}) => reading({handed})"),
        **texts, "walk": None if data else {**walk.blocks(), **results},
    }  # fmt: skip


def function_text(
    arguments: Sequence[str], result: Any, heads: Sequence[str] = (), stores: Mapping[str, Any] | None = None
) -> Script:
    """A JavaScript function of a recorded value or a list of them; `stores` are left in `s` before it returns."""
    kept, many = stores or {}, isinstance(result, list | tuple)
    results = list(result) if many else [result]
    found = Statements({"body": [*kept.values(), *results]})
    tail = [f"s[{_quoted(name)}] = {found.text(value)};" for name, value in kept.items()]
    returned = ", ".join(map(found.text, results))
    lines = [*heads, *found.lines["body"], *tail, f"return {f'[{returned}]' if many else returned};"]
    body = "\n".join(f"  {line}" for line in lines)
    return Script(f"function ({', '.join(arguments)}) {{\n{body}\n}}")


def taken(owner: str, names: Iterable[str]) -> str:
    """What takes members of an object, whatever their names, to numbered locals: h0, h1, ..."""
    each = ", ".join(f"{_quoted(name)}: {owner}{k}" for k, name in enumerate(names))
    return f"{{ {each} }}" if each else owner


def _is_live(objective: Objective, name: str) -> bool:
    """Whether an attribute is worked out anew each time, from the shape parameters."""
    return isinstance(getattr(type(objective), name, None), property)


def literal(value: Any, indent: str = "") -> Script:
    """Numbers, text, sequences and mappings as a JavaScript literal."""
    if isinstance(value, Script):
        return Script(value.replace("\n", f"\n{indent}"))
    if isinstance(value, Mapping):
        return Script(_object(value, indent))
    if isinstance(value, list | tuple | np.ndarray):
        return Script(f"[{', '.join(literal(entry, indent) for entry in value)}]")
    if isinstance(value, bool | np.bool_):
        return Script("true" if value else "false")
    return Script("null" if value is None else _quoted(value) if isinstance(value, str) else number(value))


def _object(entries: Mapping[str, Any], indent: str) -> str:
    inner = f"{indent}  "
    lines = [f"{inner}{_quoted(str(name))}: {literal(value, inner)}," for name, value in entries.items()]
    return "\n".join(["{", *lines, f"{indent}}}"]) if lines else "{}"


def _quoted(text: str) -> str:
    return json.dumps(text).replace("</", "<\\/")  # a page's script ends at the first "</"
