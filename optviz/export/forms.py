"""The linear forms of rules (`optviz.readings.linear`) as JavaScript: what theory and noise ask for on a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

import param

from .. import disk
from ..readings import linear
from ..readings.equations import is_readable
from ..rules.rule import Rule
from ..theory import edges, run_ends, stability
from ..trace.tape import RECORD, SCALAR, Tape
from ..trace.tracing import Compiled
from .bundle import Bundle
from .kernels import Script, function_text, literal, taken
from .mathematics import MATHEMATICS

_TEXTS = {
    **MATHEMATICS,
    linear.linear_of: "(rule) => rule",  # which is read at once here
    linear.why_not: "(rule) => $form(rule).why",
    linear.is_frozen: "(rule) => $form(rule).frozen?.length > 0",
    linear.at_rates: """(rule) => {
  const form = $form(rule), width = form.names?.length + 2;
  if (form.rows === null) return null;
  const own = rule.at(0);
  return (lr, terms = null, t = 1) => {
    const h = lr === null ? own : { ...own, lr }, late = form.rows(h), rows = [];
    const now = terms?.length && form.now ? form.now(h, terms[0], t - 1) : [0];
    const whole = now[0] !== 0 && now.every(Number.isFinite), share = late[0] / now[0];
    const flat = whole ? now.map((v, i) => (i % width === 0 ? v * share : v)) : late;
    for (let i = 0; i < flat.length; i += width) rows.push(flat.slice(i, i + width));
    return { rows, frozen: form.frozen, decoupled: form.decoupled, lr: h.lr ?? 1 };
  };
}""",
    linear.gain: "(rule, terms, t) => $form(rule).gain({ ...rule.at(0), ...terms }, terms, t - 1)",
    linear.never_settles: "(rule) => $form(rule).endless ?? false",
    linear.steady_terms: """(rule, power) => {
  const form = $form(rule);
  if (form.steady === null) return null;
  const found = form.steady(rule.at(0), power);
  return Object.fromEntries(form.frozen.map((name, i) => [name, found[i]]));
}""",
    run_ends.gradient_at: "(objective, point) => $.np.array(objective.gradientAt($.iter(point)))",
    stability.hessian_at: "(objective, point) => $.np.array(objective.hessianAt($.iter(point)))",
}
_FIND = """(() => {
  const forms = linear$forms;
  return (rule) => {
    if (rule.stored) return { why: rule.why, rows: null };
    for (const value of Object.values(rule.values)) {
      if ($.np.ndim(value) > 0) throw $.py.ValueError("theory needs a rule with one value a hyperparameter.");
    }
    rule.check?.();
    return forms[rule.kind.name][rule.kind.flags.map((flag) => (rule.values[flag] ? "1" : "0")).join("")];
  };
})()"""


def form_text(value: Any, bundle: Bundle) -> str | None:
    """The JavaScript of the functions that hand out linear forms; None for anything else."""
    if value is linear.form_for:
        bundle.late["linear$forms"] = lambda: _forms(bundle)
        return _FIND
    if isinstance(value, type) or not callable(value):
        return None
    text = next((text for function, text in _TEXTS.items() if function is value), None)
    for name, meant in (("$form", linear.form_for), ("$radius", edges.spectral_radius)):
        text = text.replace(name, bundle.text(meant)) if text and name in text else text
    return text


def _forms(bundle: Bundle) -> Script:
    """The forms of the rules that a page offers; where it names none, of all."""
    rules = bundle.classes(Rule) or [*param.concrete_descendents(Rule).values()]
    listed = [cls for cls in rules if is_readable(cls) or cls.coupled]
    # sympy takes a third of a second for one
    texts = {cls.__name__: disk.lasting("forms", cls, lambda cls=cls: forms_script(cls)) for cls in listed}
    return literal({name: Script(text) for name, text in texts.items()})


def forms_script(cls: type[Rule]) -> Script:
    """The linear forms of a class of rules as a literal, by its flags such as "01"."""
    flags = [n for n in cls.hyperparameters() if isinstance(cls.param[n].default, bool)]
    each = product((False, True), repeat=len(flags))
    found = {"".join(str(int(on)) for on in setting): tuple(zip(flags, setting, strict=True)) for setting in each}
    return literal({key: _form(_form_of(cls, setting)) for key, setting in found.items()})


def _form_of(cls: type[Rule], setting: tuple[tuple[str, bool], ...]) -> linear.Form:
    """The form with these flags; a rule of somebody's own may refuse some of them in words of its own."""
    try:
        return linear.form_of(cls, setting)
    except Exception as refusal:
        return linear.Form(f"{cls.__name__} cannot be read with these flags ({type(refusal).__name__}).")


def _form(form: linear.Form) -> dict[str, Any]:
    given = {f"{name}_t": f"f{i}" for i, name in enumerate(form.frozen)} | {linear.LATER.name: "k"}
    at_step = [taken("f", form.frozen), "k"]
    return {
        "why": form.why, "names": form.names, "frozen": form.frozen, "decoupled": form.decoupled,
        "endless": form.endless,
        "rows": _reading(form.rows),
        "now": _reading(form.now, at_step, given),
        "gain": _reading(form.gain, at_step, given, one=True),
        "steady": _reading(form.steady, ["power"], {linear.POWER.name: "power"}),
    }  # fmt: skip


def _reading(compiled: Compiled | None, more: Sequence[str] = (), given: Mapping[str, str] | None = None,
             one: bool = False) -> Any:  # fmt: skip
    """A function of hyperparameters, and `more`, whose names in it are `given`."""
    if compiled is None:
        return None
    tape, hypers = Tape(), [n for n in compiled.names if n not in (given or {})]
    own = {n: f"h{k}" for k, n in enumerate(hypers)} | dict(given or {})
    entries = compiled.called(vars(RECORD), *(tape.input(own[n], SCALAR) for n in compiled.names))
    return function_text([taken("h", hypers), *more], entries[0] if one else entries)
