"""The JavaScript printed for a page does what numpy does: rules, surfaces, losses, schedules, the loop.

Floats come back from JavaScript bit for bit. Where a rounding in the last digit grows (pow, exp,
sin and cos round differently in C, numpy and JavaScript), `agrees` says how far two runs must agree.
"""

from __future__ import annotations

import base64
import copy
import json
from itertools import product

import numpy as np
import param
import pytest
from conftest import find_chromium
from engine import NODE, evaluated, program
from oracles import ON

import optviz
from optviz import DataLoss, Lanes, LinearRegression, ReLUNet, Rule, batch_indices, descend, menus
from optviz.experiments.compared_losses import PLAIN, PRESETS, seed_data
from optviz.export.kernels import literal, loss_script, objective_script, rule_script, schedule_script
from optviz.objectives.classifiers import LinearClassifier
from optviz.objectives.criteria import CRITERIA, MARGINS
from optviz.objectives.surfaces import Ackley, Quadratic, Rosenbrock, RotatedQuadratic
from optviz.rules import schedules
from optviz.runs.linear_filter import filtered

CHROMIUM = find_chromium() is not None or NODE is None  # whose engine is node's, and a page's
pytestmark = [pytest.mark.browser] if CHROMIUM else []
SHOWN = """
const base64 = ({ buffer }) => {
  const bytes = new Uint8Array(buffer);
  let text = "";
  for (let i = 0; i < bytes.length; i += 8192) text += String.fromCharCode(...bytes.subarray(i, i + 8192));
  return btoa(text);
};
const shown = (value) => {
  if (value === null || typeof value === "string") return value;
  if (typeof value === "number") return shown(new Nd([value], []));
  if (value instanceof Nd) return { shape: value.shape, floats: base64(Float64Array.from(value.data)) };
  if (Array.isArray(value)) return value.map(shown);
  return Object.fromEntries(Object.entries(value).map(([name, entry]) => [name, shown(entry)]));
};
const rows = (lists) => new Nd(Float64Array.from(lists.flat(9)), [lists.length, lists.flat(9).length / lists.length]);
"""
CHOSEN = (
    schedules.OneCycleLR(anneal_strategy="linear", warmup=3), schedules.OneCycleLR(cycle_momentum=False, pct_start=0.7),
    schedules.CyclicLR(mode="triangular2", step_size_up=7, step_size_down=3, base_lr=0.01),
    schedules.CyclicLR(mode="exp_range", step_size_up=5, gamma=0.97), schedules.MultiStepLR(milestones=[7, 9, 30]),
    schedules.CosineAnnealingWarmRestarts(T_0=3, T_mult=2, warmup=4), schedules.LinearLR(total_iters=0, warmup=9),
)  # fmt: skip
SCHEDULES = [c for c in param.concrete_descendents(optviz.Schedule).values() if c.__module__ == schedules.__name__]


@pytest.fixture(scope="session")
def run_js(request):
    """The values of expressions after the runtime, the catalogue and the given constants."""
    page = request.getfixturevalue("tab") if CHROMIUM else None
    kinds = constants(
        rules={name: rule_script(cls) for name, cls in menus.rules().items()},
        surfaces={cls.__name__: objective_script(cls) for cls in menus.surfaces().values()},
        losses={name: loss_script(LinearRegression, name) for name in CRITERIA}
        | {"ReLUNet": loss_script(ReLUNet)}
        | {name: loss_script(LinearClassifier, name) for name in MARGINS},
        schedules={cls.__name__: schedule_script(cls) for cls in SCHEDULES},
    )

    def run(*expressions: str, **given) -> list:
        own = f"{constants(**given)}\nreturn shown([{', '.join(expressions)}]);"
        text = f"{SHOWN}\n{kinds}\n{{ {own} }}"  # in a block any name is free
        there = "(text) => JSON.stringify((0, eval)(text))"
        found = evaluated(text) if page is None else page.evaluate(there, program(text))
        return json.loads(found, object_hook=as_array)

    return run


def constants(**given) -> str:
    return "\n".join(f"const {name} = {literal(value)};" for name, value in given.items())


def as_array(entry: dict):
    """An array as `shown` writes it, with its bits; other objects as they are."""
    packed = entry.keys() == {"shape", "floats"}
    return np.frombuffer(base64.b64decode(entry["floats"])).reshape(entry["shape"]) if packed else entry


def made(member) -> str:
    """A member of the catalogue, or a list of them, as JavaScript."""
    name = type(member).__name__
    if isinstance(member, list):
        return f"[{', '.join(map(made, member))}]"
    if isinstance(member, Lanes):
        return f"new Lanes({made(member.objectives)})"
    if isinstance(member, Rule):
        return f"new Rule(rules.{name}, {literal(member.values())})"
    if isinstance(member, optviz.Schedule):
        values = {n: getattr(member, n) for n in member.param if n != "name"}
        return f"new Schedule(schedules.{name}, {literal(values)})"
    if isinstance(member, DataLoss):
        data = f"{literal(member.given())}, {literal(member.shape_values())}"
        return f"new DataLoss(losses.{member.criterion() or name}, {data})"
    values = dict(zip(member.shape_names(), member.shape_values(), strict=True))
    return f"new Surface(surfaces.{name}, {literal(values)})"


def walk(objective, rule, start, steps: int, noise: float = 0.0, seed: tuple = (0,), **options) -> str:
    """A call of descend, as JavaScript."""
    words = {"clip_norm": "clipNorm"}
    given = [f"{words.get(n, n)}: {made(v) if n == 'schedule' else literal(v)}" for n, v in options.items()]
    draws = noise * np.stack([np.random.default_rng(s).standard_normal(2 * steps) for s in seed], axis=-1)
    given += [f"noise: new Nd({literal(draws.ravel())}, [{steps}, 2, {len(seed)}])"] if noise else []
    return f"descend({made(objective)}, {made(rule)}, {literal(start)}, {steps}, {{ {', '.join(given)} }})"


# How far two runs must agree


def differences(ours: np.ndarray, theirs: np.ndarray) -> np.ndarray:
    """Step by step, the largest difference over the largest number so far; infinite if one is not finite."""
    ours, theirs = (np.asarray(a, dtype=float).reshape(len(a), -1) for a in (ours, theirs))
    same = (ours == theirs) | (np.isnan(ours) & np.isnan(theirs))
    with np.errstate(all="ignore"):
        distance = np.nan_to_num(np.where(same, 0, np.abs(ours - theirs)), nan=np.inf).max(axis=1)
        so_far = np.maximum.accumulate(np.where(np.isfinite(ours), np.abs(ours), 0).max(axis=1))
        return np.where(distance > 0, distance / so_far, 0)


def fields(run) -> dict[str, np.ndarray]:
    """What a trajectory holds step by step, in Python or as it came from JavaScript."""
    held = run if isinstance(run, dict) else vars(run)
    names = [n for n in ("x", "loss", "updates", "gradients", "rates", "clipped", "batch_loss") if held[n] is not None]
    return {**{name: held[name] for name in names}, **{f"term {n}": v for n, v in held["terms"].items()}}


def parting(ours, theirs, limit: float = 1e-9) -> int | None:
    """The first step at which two runs differ by more than the limit, None where none does."""
    ours, theirs = fields(ours), fields(theirs)
    assert ours.keys() == theirs.keys()
    beyond = [differences(values, theirs[name]) > limit for name, values in ours.items()]
    return min((int(each.argmax()) for each in beyond if each.any()), default=None)


def all_same(run_js, runs: list, **options) -> bool:
    """Whether runs are the same in JavaScript."""
    pairs = zip(runs, run_js(*(walk(*run, **options) for run in runs)), strict=True)
    both = [(descend(*run, **options), found) for run, found in pairs]
    return all(parting(*pair) is None and np.array_equal(pair[0].diverged, pair[1]["diverged"]) for pair in both)


def shaken(objective):
    """The objective with gradients whose last digits, and their point's, are shaken."""
    made, random = copy.copy(objective), np.random.default_rng(0)

    def shake(values):
        return [value * (1 + 4e-15 * random.standard_normal()) for value in values]

    def around(reading):
        return lambda batch=None: lambda *x: shake(reading()(*shake(x)))

    made.float_gradient, made.array_gradient = around(objective.float_gradient), around(objective.array_gradient)
    return made


def agrees(objective, rule: Rule, start, steps: int, theirs) -> tuple[bool, bool]:
    """Whether JavaScript's run equals numpy's to 1e-9 of each field's scale at every step, and bit for bit.

    A run that does not must be unstable in numpy itself: with last digits shaken it parts from
    itself no later. Such a run counts as not compared in full.
    """
    ours = descend(objective, rule, start, steps)
    step = parting(ours, theirs)
    if step is None:
        assert np.array_equal(ours.diverged, theirs["diverged"])
    else:
        again = parting(ours, descend(shaken(objective), rule, start, steps))
        assert again is not None and again <= step, (objective, rule)
    return step is None, np.array_equal(ours.x, theirs["x"], equal_nan=True)


# Walks of every rule on every surface


def accepted(cls, settings: dict) -> list:
    """The member with these settings, in a list that is empty where PyTorch refuses them."""
    try:
        return [cls(**settings)]
    except ValueError:
        return []


def variants(cls: type[Rule]) -> list[Rule]:
    """A rule's defaults, the playground's values and these with momentum, with every setting of the flags."""
    flags = [name for name in cls.hyperparameters() if isinstance(cls.param[name].default, bool)]
    more = [{**cls.preset, "momentum": ON["momentum"]}] if "momentum" in cls.hyperparameters() else []
    choices = product([{}, cls.preset, *more], product((False, True), repeat=len(flags)))
    return [rule for base, on in choices for rule in accepted(cls, {**base, **dict(zip(flags, on, strict=True))})]


def compare(run_js, cases: list, steps: int) -> tuple[float, float]:
    """The share of runs that agree in full, and bit for bit; all others are shown to be unstable."""
    found = run_js(*(walk(o, r, o.starts[0], steps) for r, o in cases))
    runs = [agrees(o, r, o.starts[0], steps, run) for (r, o), run in zip(cases, found, strict=True)]
    full, exact = np.sum(runs, axis=0)
    print(f"{len(cases)} runs, {full} compared in full, {exact} bit for bit")
    return full / len(cases), exact / len(cases)


def test_every_rule_walks_every_surface_as_numpy_does(run_js):
    surfaces = [cls() for cls in menus.surfaces().values()]
    cases = [(rule, o) for cls in menus.rules().values() for rule in variants(cls) for o in surfaces]
    assert np.all(np.greater(compare(run_js, cases, 200), (0.9, 0.6)))


def drawn(parameter, random):
    """A flag, or a number within the soft bounds or, at times, at which the parameter is switched off."""
    if isinstance(parameter.default, bool):
        return bool(random.integers(2))
    off = getattr(parameter, "off", None)
    return off if off is not None and random.random() < 0.4 else random.uniform(*parameter.softbounds)


def drawn_member(cls, random):
    """A rule or a surface with settings by chance."""
    names = cls.hyperparameters() if issubclass(cls, Rule) else cls.shape_names()
    found = accepted(cls, {name: drawn(cls.param[name], random) for name in names})
    return found[0] if found else drawn_member(cls, random)


def test_any_settings_walk_as_numpy_does(run_js):
    random = np.random.default_rng(5)
    rules, surfaces = list(menus.rules().values()), list(menus.surfaces().values())
    pairs = [(rules[k % len(rules)], surfaces[random.integers(len(surfaces))]) for k in range(300)]
    assert compare(run_js, [[drawn_member(cls, random) for cls in pair] for pair in pairs], 60)[0] >= 0.9


# Values, gradients, Hessians


def close(ours, theirs) -> bool:
    """Equal to 1e-9 of the largest entry."""
    ours = np.asarray(ours, dtype=float)
    return ours.shape == theirs.shape and bool(np.abs(ours - theirs).max() <= 1e-9 * np.abs(ours).max())


def test_values_gradients_and_hessians(run_js):
    random = np.random.default_rng(1)
    data = [random.standard_normal((2, n)) for n in (2, 7, 8, 50, 131, 1000)]  # numpy adds up by length
    objectives = [drawn_member(cls, random) for cls in menus.surfaces().values()]
    objectives += [LinearRegression(*d, loss=name, delta=0.7, beta=0.4, tau=0.8) for name in CRITERIA for d in data]
    objectives += [ReLUNet(*d) for d in data]
    sides = [(*d, random.integers(0, 2, d.shape[1])) for d in data]
    objectives += [LinearClassifier(*d, loss=name, bias=0.3) for name in MARGINS for d in sides]
    points = [random.uniform(*np.transpose(o.domain), (40, 2)) for o in objectives]
    found = run_js(f"""...{made(objectives)}.map((each, k) => ({{
        value: each.value(...[0, 1].map((i) => rows([points[k].map((p) => p[i])]))),
        gradient: rows(points[k].map((p) => each.gradientAt(p))), hessian: rows(points[k].map((p) => each.hessianAt(p)))
        }}))""", points=points)  # fmt: skip
    for objective, each, at in zip(objectives, found, np.transpose(points, (0, 2, 1)), strict=True):
        assert close(objective.value(*at)[None], each["value"]), objective
        assert close(objective.gradient(*at).T, each["gradient"]), objective
        assert close(objective.hessian(*at).reshape(4, -1).T, each["hessian"]), objective
        if isinstance(objective, DataLoss):
            assert np.array_equal(objective.value(*at), each["value"][0]), "not added up in numpy's order"


def test_maps_of_surfaces_and_losses(run_js):
    (x, y), a, b = seed_data(), np.linspace(-5, 8, 23), np.linspace(-1, 2, 17)
    loss, value = LinearRegression(x, y, loss="huber"), Rosenbrock().value
    ours = [loss.landscape(a, b), loss.landscape(a, b, samples=[3, 0]), value(a[:, None], b[None]), value(1, 2)]
    maps = [f"{made(loss)}.landscape(a, {more})" for more in ("rows([b]).row(0)", "b, [3, 0]")]
    values = [f"{made(Rosenbrock())}.value({at})" for at in ("rows(a.map((v) => [v])), rows([b])", "1, 2")]
    assert all(map(close, ours, run_js(*maps, *values, a=a, b=b)))


# The experiments' runs, and what surrounds a rule


def test_the_four_regressions_of_every_preset(run_js):
    objective = Lanes([LinearRegression(*seed_data(), loss=name) for name in CRITERIA])
    rules = [optviz.SGD(**{**PLAIN, **preset, "lr": 0.1}) for preset in PRESETS.values()]
    assert all_same(run_js, [(objective, rule, (6.0, -3.0), 100) for rule in rules])


@pytest.mark.parametrize("size, seed", [(1, None), (1, 3), (7, 0)])
def test_an_epoch_in_batches(run_js, size, seed):
    x, noise = np.random.default_rng(0).uniform(-1, 1, (2, 100))
    batches = batch_indices(100, size, seed)
    epoch = (ReLUNet(x, 2 * x + 0.1 * noise), optviz.SGD(lr=0.05), (1.2, -2.3), len(batches))
    assert all_same(run_js, [epoch], batches=batches)


def test_the_updates_of_a_single_parameter(run_js):
    g = np.random.default_rng(0).standard_normal(40 * 591)
    settings = [(0.1, 0.002, 0.95, 5.0), (0.1, 0.002, 0.95, 0.5), (0.02, 0.005, 0.0, 1.0), (1.0, 0.0, 0.99, 2.5)]
    cases = [(optviz.Momentum(lr=lr, momentum=momentum), schedules.LinearDecay(decay=decay), clip)
             for lr, decay, momentum, clip in settings]  # fmt: skip
    texts = [f"filtered({made(rule)}, g, {{ clip: {clip}, rates: {made(schedule)}.rates({rule.lr}, g.length) }})"
             for rule, schedule, clip in cases]  # fmt: skip
    for (rule, schedule, clip), steps in zip(cases, run_js(*texts, g=g), strict=True):
        assert close(filtered(rule, g, clip=clip, rates=schedule.rates(rule.lr, g.size)[:, 0]), steps)


def test_what_surrounds_a_rule(run_js):
    around = [{"clip": 1.5}, {"clip_norm": 0.3}, {"clip": 2.0, "noise": 0.7, "seed": (4,)},
              {"clip": 2.0, "clip_norm": 1.0, "noise": 0.7, "seed": (1, 2, 3)},
              *({"schedule": each} for each in (*[cls() for cls in SCHEDULES], *CHOSEN))]  # fmt: skip
    rules = [optviz.Adam(lr=0.1), optviz.SGD(lr=[0.1, 0.02, 3.0]), optviz.Rprop(lr=[0.1, 0.02, 0.3])]
    for options in around:
        assert all_same(run_js, [(Quadratic(), rule, (-5.0, -2.0), 60) for rule in rules], **options), options


def test_a_list_or_a_function_is_a_schedule(run_js):
    given = {"[0.3, 0.2]": [0.3, 0.2], "(t) => 0.3 / t": lambda t: 0.3 / t, "(lr, t) => lr * t": lambda lr, t: lr * t}
    rule, start = optviz.SGD(lr=[0.1, 0.2]), (-5.0, -2.0)
    call = f"descend({made(Quadratic())}, {made(rule)}, {literal(start)}, 2"
    for schedule, run in zip(
        given.values(), run_js(*(f"{call}, {{ schedule: {text} }})" for text in given)), strict=True
    ):
        assert np.array_equal(descend(Quadratic(), rule, start, 2, schedule=schedule).x, run["x"])


def test_lanes_from_starts_hyperparameters_and_rules(run_js):
    starts, lr = [[1.0, 1.0], [-1.0, 0.5], [0.3, 2.0]], [0.1, 0.2, 0.3]
    rules = [optviz.RMSprop(lr=0.01), optviz.Adagrad(lr=lr, initial_accumulator_value=[0, 1, 2]),
             [optviz.Adam(lr=lr), optviz.Newton()]]  # fmt: skip
    assert all_same(run_js, [(Rosenbrock(), rule, starts, 40) for rule in rules])
    refused = walk(Rosenbrock(), optviz.SGD(lr=lr), starts[:2], 40)
    (found,) = run_js(f"(() => {{ try {{ {refused}; }} catch (trouble) {{ return trouble.message; }} }})()")
    assert found == "Starts, hyperparameters, objectives and noise need one length, not 2, 1, 1, 3."


# What users write

WRITTEN = """
class Odd(Rule):
    lr = Hyperparameter(0.1, bounds=(0, None))
    new = Hyperparameter(0.3, bounds=(0, 1))
    bold, shy = param.Boolean(False), param.Boolean(False)
    memory = {"old g": 0.5, "size": "new"}

    def check(self):
        if self.bold and self.shy: raise ValueError("not both")

    @staticmethod
    def update(h, memory, x, g, t, let, xp):
        old = getattr(memory, "old g")
        let("old g", g)
        turned = (g * old < 0) & (t % 3 != 1) | (abs(g) >= 1e3)
        size = let("size", xp.where(turned, memory.size / 2, xp.minimum(memory.size * 1.1 + 0, 2.0)))
        clock = let("clock", t // 3 - (5 - t) % 4 + (0.7 - t) // 0.3 + (t - 4.5) % -1.25 + x % 0.3 + x // -0.7)
        wave = let("wave", 1 + clock % 2 + xp.tanh(x / 9) ** 2 - 0.5 ** (t / 2))
        kick = let("kick", np.float64(0.01) * xp.maximum(xp.sign(old), xp.cos(g)) * 2 ** -1)
        assert not (h.bold and h.shy)
        if h.bold: return let("step", -h.lr * size * g / xp.sqrt(1 + g * g) - kick)
        return let("step", -(h.lr * size * wave) * g / (1 + abs(g)) + xp.where(False, g, 0) + xp.sqrt(4) * 0)

f = lambda x, y: abs(x)**1.5 + xp.maximum(x * y, -1) + xp.where(x > y, x**9 / 1e3, y**2) + xp.sin(y)
"""


@pytest.mark.parametrize("bold", [False, True])
def test_a_rule_and_an_objective_without_source(run_js, bold):
    names = {**vars(optviz), "param": param, "np": np, "__name__": "user"}
    exec(WRITTEN, names)
    surface, rule = optviz.objective(names["f"], label="</script>"), names["Odd"](bold=bold)
    kinds = {"rules": {"Odd": rule_script(type(rule))}, "surfaces": {"Function": objective_script(surface)}}
    assert "</script>" not in constants(**kinds)
    (found,) = run_js(walk(surface, rule, (1.5, -2), 80), **kinds)
    assert agrees(surface, rule, (1.5, -2), 80, found)[0]
    assert set(found["terms"]) == {"old g", "size", "clock", "wave", "kick", "step"}


def test_what_is_printed_and_what_is_refused():
    class Branching(Rule):
        @staticmethod
        def update(h, memory, x, g, t, let, xp):
            return -1.0 if g > 0 else 1.0

    with pytest.raises(TypeError, match="a branch on a variable cannot be traced, use xp.where"):
        rule_script(Branching)
    with pytest.raises(ValueError, match="objective_script needs an objective with a formula"):
        objective_script(Lanes([ReLUNet([0, 1], [0, 1])]))  # type: ignore[arg-type]
    numbers = literal([-0.0, 1e-300, np.inf, np.nan, np.True_, None, 'q"'])
    assert numbers == '[-0.0, 1e-300, Infinity, NaN, true, null, "q\\""]'
    assert '"starts"' not in objective_script(RotatedQuadratic) and '"starts": [[' in objective_script(Ackley)
