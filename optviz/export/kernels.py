"""Definitions as JavaScript object literals: rules, objectives, losses and schedules.

Each function in a literal is printed from what a tape records when the Python definition is called:
the same operations in the same order, so JavaScript gives the numbers of the float run.
`descent.js` has the classes that take the literals, and the helpers their operators need; `walk` is what
`runs.js` makes one function of, for a rule on a surface: statements on numbered locals, apart by how often they run.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import product
from types import SimpleNamespace
from typing import Any

import numpy as np

from ..menus import label_of
from ..messages import refuse
from ..objectives.losses import DataLoss
from ..objectives.objective import Objective
from ..rules.rule import Rule
from ..rules.schedules import Schedule
from ..runs.descent import keeper
from ..trace.javascript import Statements, number
from ..trace.tape import FIXED, RECORD, ROW, SCALAR, Tape, Value


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
        **{part: {key: each[part] for key, each in readings.items()} for part in ("terms", "update", "walk")},
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
    about = {"name": type(made).__name__, "label": label_of(made), "names": made.names}
    readings, found = _readings(made.traced, made.names, [], shape)
    return literal({**about, **declared, "lowest": made.lowest, **readings, "walk": _heights(*found)})


def loss_script(loss: DataLoss | type[DataLoss], criterion: str = "") -> Script:
    """A loss over data, or its class, as the literal that `new DataLoss(literal, x, y, shape)` takes.

    `value`, `gradient` and `hessian` are those of one sample, functions of the parameters,
    the sample's x and y, and the shape parameters. A class may need its `criterion`.
    """
    made = loss
    if isinstance(loss, type):  # made with any data: the formula is one sample's
        made = loss([0.0, 1.0], [0.0, 1.0], **({"loss": criterion} if criterion else {}))
    shape = dict(zip(made.shape_names(), made.shape_values(), strict=True))
    about = {"name": type(made).__name__, "label": label_of(made), "criterion": made.criterion(), "names": made.names}
    declared = {"domain": made.domain, "starts": made.starts}
    return literal({**about, **declared, **_readings(made.traced, made.names, ["x", "y"], shape)[0]})


def schedule_script(cls: type[Schedule]) -> Script:
    """A schedule as the literal that `new Schedule(literal, values)` takes."""
    names = [name for name in cls.param if name != "name"]
    tape, texts = Tape(), {f"h{k}": member_text("h", name) for k, name in enumerate(names)}
    h = SimpleNamespace(**{name: tape.input(f"h{k}", SCALAR, FIXED) for k, name in enumerate(names)})
    rate = cls.rate(h, tape.input("lr", SCALAR), tape.input("t", SCALAR), RECORD)
    defaults = {name: cls.param[name].default for name in names}
    return literal({"name": cls.__name__, "defaults": defaults, "rate": function_text("h, lr, t", rate, texts)})


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
    memory = SimpleNamespace(**{term: tape.input(f"s{k}", ROW) for k, term in enumerate(cls.memory)})
    x, g = ([tape.input(f"{v}{i}", ROW) for i in range(2)] if cls.coupled else tape.input(v, ROW) for v in "xg")
    if cls.coupled:
        memory.H = [[tape.input(f"H{2 * i + j}", ROW) for j in range(2)] for i in range(2)]
    step = cls.update(
        SimpleNamespace(**flags, **numbers), memory, x, g, tape.input("t", SCALAR), keeper(named), RECORD
    )
    texts = {f"h{k}": member_text("h", n) for k, n in enumerate(hypers)}
    texts |= {f"{v}{i}": f"{v}[{i}]" for v in "xg" for i in range(2)}
    texts |= {f"H{2 * i + j}": f"s.H[{i}][{j}]" for i in range(2) for j in range(2)}
    # kept, so that a carried term is read before its new value is stored
    heads = [f"const s{k} = {member_text('s', term)};" for k, term in enumerate(cls.memory)]
    stores = {member_text("s", name): value for name, value in named.items()}
    pairs = zip(x, step, strict=True) if cls.coupled else [(x, step)]
    moved = [tape.record("add", pair) for pair in pairs]
    kept = [named.get(term, getattr(memory, term)) for term in cls.memory]
    walk = Statements([*kept, *moved], prefix="r", hoisted=True)
    begins = [f"h{hypers.index(v)}" if isinstance(v, str) else number(v) for v in cls.memory.values()]
    return {
        "terms": list(named),
        "update": function_text("h, s, x, g, t", step, texts, heads, stores),
        "walk": {
            "fixed": " ".join(walk.lines["fixed"]), "step": " ".join(walk.lines["step"]),
            "each": " ".join(walk.lines[0]), "powers": walk.powers, "begins": begins,
            "memory": [*map(walk.text, kept)], "moved": [*map(walk.text, moved)],
        },
    }  # fmt: skip


def _heights(value: Any, gradient: Sequence[Any], hessian: Sequence[Any]) -> dict[str, Any]:
    """A surface's part of a walk: its value and its slopes at one point, and beyond these its Hessian."""
    walk = Statements([value, *gradient], hessian, prefix="f", hoisted=True)
    return {
        "fixed": " ".join(walk.lines["fixed"]), "here": " ".join(walk.lines[0]), "bend": " ".join(walk.lines[1]),
        "value": walk.text(value), "gradient": [*map(walk.text, gradient)], "hessian": [*map(walk.text, hessian)],
    }  # fmt: skip


def _readings(
    traced: Any, names: Sequence[str], data: Sequence[str], shape: Mapping[str, float]
) -> tuple[dict[str, Any], tuple[Any, list[Any], list[Any]]]:
    """The functions of a formula, the shape parameters that follow its other arguments, and `call`; what they hand out.

    `call` hands a point and the shape's values to one of the functions: a spread call in the
    page's inner loops would take ten times as long.
    """
    tape, places = Tape(), [[f"{v}{i}" for i in range(len(those))] for v, those in (("x", names), ("p", shape))]
    given = [tape.input(n, ROW) for n in (*places[0], *data)] + [tape.input(n, SCALAR, FIXED) for n in places[1]]
    (value,), gradient, hessian = (
        each.called(vars(RECORD), *given) for each in (traced.value, traced.gradient, traced.hessian)
    )
    arguments = ", ".join([*places[0], *data, *places[1]])
    handed = [f"point[{i}]" for i in range(len(names))], [f"shape[{i}]" for i in range(len(shape))]
    called = ", ".join([*handed[0], *data, *handed[1]])
    results = {"value": value, "gradient": gradient, "hessian": hessian}
    return {
        "shape": list(shape), "shapeDefaults": list(shape.values()),
        "call": Script(f"({', '.join(['reading', 'point', *data, 'shape'])}) => reading({called})"),
        **{name: function_text(arguments, result) for name, result in results.items()},
    }, (value, gradient, hessian)  # fmt: skip


def function_text(
    arguments: str, result: Any, texts: Mapping[str, str] | None = None,
    heads: Sequence[str] = (), stores: Mapping[str, Any] | None = None,
) -> Script:  # fmt: skip
    """A JavaScript function of a recorded value or a list of them; `stores` go to their places before it returns."""
    kept, many = stores or {}, isinstance(result, list | tuple)
    results = list(result) if many else [result]
    found = Statements([*kept.values(), *results], texts=texts)
    tail = [f"{place} = {found.text(value)};" for place, value in kept.items()]
    returned = ", ".join(map(found.text, results))
    lines = [*heads, *found.lines[0], *tail, f"return {f'[{returned}]' if many else returned};"]
    body = "\n".join(f"  {line}" for line in lines)
    return Script(f"function ({arguments}) {{\n{body}\n}}")


def member_text(owner: str, name: str) -> str:
    return f"{owner}.{name}" if name.isidentifier() and name.isascii() else f"{owner}[{_quoted(name)}]"


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
