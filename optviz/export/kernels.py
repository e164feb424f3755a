"""Definitions as JavaScript object literals: rules, objectives, losses and schedules.

Each function in a literal is recorded by calling the Python definition (`tracing.Recorded`):
the same operations in the same order, so JavaScript gives the numbers of the float run.
`descent.js` has the classes that take the literals, and the helpers their operators need.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
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
from ..trace.tracing import SCRIPT, Compiled, Tape, script
from .printer import RESERVED


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
        "terms": {key: terms for key, (terms, _) in readings.items()},
        "update": {key: text for key, (_, text) in readings.items()},
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
    return literal({**about, **declared, "lowest": made.lowest, **_readings(made.traced, made.names, [], shape)})


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
    return literal({**about, **declared, **_readings(made.traced, made.names, ["x", "y"], shape)})


def schedule_script(cls: type[Schedule]) -> Script:
    """A schedule as the literal that `new Schedule(literal, values)` takes."""
    names = [name for name in cls.param if name != "name"]
    tape = Tape()
    h = SimpleNamespace(**{name: tape.named(member_text("h", name)) for name in names})
    rate = cls.rate(h, tape.named("lr"), tape.named("t"), SCRIPT)
    defaults = {name: cls.param[name].default for name in names}
    return literal({"name": cls.__name__, "defaults": defaults, "rate": function_text("h, lr, t", tape, script(rate))})


def _refused(cls: type[Rule], flags: Mapping[str, bool]) -> bool:
    try:
        cls(**flags)
    except ValueError:
        return True
    return False


def _update(cls: type[Rule], flags: Mapping[str, bool]) -> tuple[list[str], Script]:
    """The names of a rule's terms, and its update as a function, with these flags."""
    tape, named = Tape(), {}
    h = SimpleNamespace(**{n: flags.get(n, tape.named(member_text("h", n))) for n in cls.hyperparameters()})
    # kept, so that a carried term is read before its new value is stored
    memory = SimpleNamespace(**{term: tape.keep(member_text("s", term)) for term in cls.memory})
    x, g = tape.named("x"), tape.named("g")
    if cls.coupled:
        x, g = ([tape.named(f"{v}[{i}]") for i in range(2)] for v in "xg")
        memory.H = [[tape.named(f"s.H[{i}][{j}]") for j in range(2)] for i in range(2)]

    def let(name, value):
        named[name] = value
        return value

    step = cls.update(h, memory, x, g, tape.named("t"), let, SCRIPT)
    result = array_text(step) if cls.coupled else script(step)
    stores = [f"{member_text('s', name)} = {script(value)};" for name, value in named.items()]
    return list(named), function_text("h, s, x, g, t", tape, result, stores)


def _readings(traced: Any, names: Sequence[str], data: Sequence[str], shape: Mapping[str, float]) -> dict[str, Any]:
    """The functions of a formula, the shape parameters that follow its other arguments, and `call`.

    `call` hands a point and the shape's values to one of the functions: a spread call in the
    page's inner loops would take ten times as long.
    """
    arguments = [_argument(name) for name in (*names, *data, *shape)]
    places = [f"point[{i}]" for i in range(len(names))], [f"shape[{i}]" for i in range(len(shape))]
    handed = ", ".join([*places[0], *data, *places[1]])
    compiled = {"value": traced.value, "gradient": traced.gradient, "hessian": traced.hessian}
    return {
        "shape": list(shape), "shapeDefaults": list(shape.values()),
        "call": Script(f"({', '.join(['reading', 'point', *data, 'shape'])}) => reading({handed})"),
        **{name: _reading(name, each, arguments) for name, each in compiled.items()},
    }  # fmt: skip


def _reading(name: str, compiled: Compiled, arguments: Sequence[str]) -> Script:
    tape = Tape()
    entries = compiled.recorded(*map(tape.named, arguments))
    result = script(entries[0]) if name == "value" else array_text(entries)
    return function_text(", ".join(arguments), tape, result)


def function_text(arguments: str, tape: Tape, result: str, stores: Sequence[str] = ()) -> Script:
    """A JavaScript function of the recorded operations; those that nothing needs are left out."""
    tail = [*stores, f"return {result};"]
    needed = _constants(tail)
    lines: list[str] = []
    for operation, constant in reversed(tape.constants.items()):
        if constant in needed:
            needed |= _constants([operation])
            lines.insert(0, f"const {constant} = {operation};")
    body = "\n".join(f"  {line}" for line in (*lines, *tail))
    return Script(f"function ({arguments}) {{\n{body}\n}}")


def _constants(texts: Iterable[str]) -> set[str]:
    return {name for text in texts for name in re.findall(r"(?<![\w.$])t\d+\b", text)}


def array_text(values: Iterable[Any]) -> str:
    return f"[{', '.join(map(script, values))}]"


def _argument(name: str) -> str:
    """A parameter's name that is neither a word of JavaScript nor one of the tape's constants."""
    return f"{name}_" if name in RESERVED or re.fullmatch(r"t\d+", name) else name


def member_text(owner: str, name: str) -> str:
    return f"{owner}.{name}" if name.isidentifier() else f"{owner}[{_quoted(name)}]"


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
    return Script("null" if value is None else _quoted(value) if isinstance(value, str) else script(value))


def _object(entries: Mapping[str, Any], indent: str) -> str:
    inner = f"{indent}  "
    lines = [f"{inner}{_quoted(str(name))}: {literal(value, inner)}," for name, value in entries.items()]
    return "\n".join(["{", *lines, f"{indent}}}"]) if lines else "{}"


def _quoted(text: str) -> str:
    return json.dumps(text).replace("</", "<\\/")  # a page's script ends at the first "</"
