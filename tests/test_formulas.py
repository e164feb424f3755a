"""The formula on the page is the code: typeset equations give the code's numbers."""

import random
import xml.dom.minidom
from types import SimpleNamespace

import numpy as np
import pytest
import sympy
import torch
from oracles import flag_settings, rules, surfaces

from optviz import SGD, Adagrad, Adam, AdamW, LinearRegression, Newton, RAdam, ReLUNet, Rprop, Rule, objective
from optviz.objectives.criteria import CRITERIA
from optviz.objectives.torch_objectives import TorchFunction
from optviz.readings.equations import (
    hyperparameter_mathml,
    objective_mathml,
    rule_equations,
    rule_mathml,
    term_mathml,
    traced_equations,
)
from optviz.runs.torch_optimizer import TorchOptimizer
from optviz.trace.functions import readable
from optviz.trace.tracing import FLOATS

CASES = [
    pytest.param(cls, settings, id=f"{cls.__name__}-{'-'.join(k for k, v in settings.items() if v)}")
    for cls in rules()
    for settings in flag_settings(cls)
    if not (cls is SGD and settings["nesterov"] and (settings["dampening"] or not settings["momentum"]))
]


def situation(rule, seed):
    """Random numbers for everything an update reads, and what the code makes of them."""
    draw = random.Random(seed)
    values = {n: v if isinstance(v, bool) else float(v) for n, v in rule.values().items()}
    for name, value in values.items():
        if not isinstance(value, bool) and value != getattr(rule.param[name], "off", None):
            low, high = rule.param[name].softbounds
            values[name] = draw.uniform(low + 0.1 * (high - low), low + 0.9 * (high - low))
    # means below the root of the mean squares, as they are in any run
    memory = {name: draw.uniform(0.1, 0.3 if name == "m" else 2) for name in rule.memory}
    t = draw.choice([1, 2, 3, 40])
    point = {"x": draw.uniform(-2, 2), "g": draw.uniform(-2, 2)}
    carried = SimpleNamespace(**memory)
    if rule.coupled:
        point = {f"{n}_{i}": draw.uniform(-2, 2) for n in "xg" for i in (1, 2)}
        point |= {f"H_{i}{j}": draw.uniform(-2, 2) for i in (1, 2) for j in (1, 2)}
        carried.H = [[point[f"H_{i}{j}"] for j in (1, 2)] for i in (1, 2)]
    elif rule.curvature:
        carried.H = point["H"] = draw.uniform(0.1, 2)
    x, g = ((point["x_1"], point["x_2"]), (point["g_1"], point["g_2"])) if rule.coupled else (point["x"], point["g"])
    terms = {}

    def let(name, value):
        terms[name] = value
        return value

    step = rule.update(SimpleNamespace(**values), carried, x, g, t, let, FLOATS)
    return values, memory, {**point, "t": t}, terms, step


def evaluated(expression, known):
    return float(expression.xreplace({s: sympy.Float(known[s.name], 17) for s in expression.free_symbols}).evalf())


def close(first, second):
    assert first == pytest.approx(second, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize(("cls", "settings"), CASES)
def test_the_typeset_equations_give_the_codes_numbers(cls, settings):
    rule = cls(**settings)
    symbols = {name: str(symbol) for name, symbol in _hyper_symbols(rule).items()}
    for seed in range(4):
        values, memory, point, terms, step = situation(rule, seed)
        known = {symbols[n]: v for n, v in values.items() if n in symbols}
        known |= {f"{n}_(t-1)": v for n, v in memory.items()} | {f"{n}_t": v for n, v in point.items()}
        known["t"] = point["t"]
        for equation in rule_equations(rule):
            left = str(equation.lhs)
            known[left] = evaluated(equation.rhs, known)
            if left.removesuffix("_t") in terms:
                close(known[left], terms[left.removesuffix("_t")])
        steps = step if isinstance(step, tuple) else (step,)
        names = ("x_1", "x_2") if rule.coupled else ("x",)
        assert str(rule_equations(rule)[-1].lhs) == f"{names[-1]}_(t+1)"
        for name, change in zip(names, steps, strict=True):
            close(known[f"{name}_(t+1)"], point[name] + change)


def _hyper_symbols(rule):
    from optviz.readings.equations import settings_of, structure

    found = structure(type(rule), *settings_of(type(rule), rule.values()))
    return {n: s for n, s in found.items() if isinstance(s, sympy.Symbol)}


@pytest.mark.parametrize(("cls", "settings"), CASES)
def test_the_traced_equations_hold_at_any_values(cls, settings):
    rule = cls(**settings)
    traced = traced_equations(rule)
    flags = {n for n, v in rule.values().items() if isinstance(v, bool)}
    assert set(rule.hyperparameters()) - flags <= set(traced.symbols)
    for seed in range(4):
        values, memory, point, terms, step = situation(rule, seed)
        known = {n: v for n, v in values.items() if n not in flags} | point
        known |= {f"{n}_before": v for n, v in memory.items()}
        names = {str(symbol): name for name, symbol in traced.symbols.items()}
        for name, expression in traced.terms.items():
            got = evaluated(expression, _renamed(known, names, expression))
            close(got, terms[name])
            known[name] = got
        steps = step if isinstance(step, tuple) else (step,)
        for expression, change in zip(traced.steps, steps, strict=True):
            close(evaluated(expression, _renamed(known, names, expression)), change)


def _renamed(known, names, expression):
    return {str(symbol): known[names[str(symbol)]] for symbol in expression.free_symbols}


@pytest.mark.parametrize(("cls", "settings"), CASES)
def test_the_formula_is_xml_with_every_symbols_number(cls, settings):
    rule = cls(**settings)
    document = xml.dom.minidom.parseString(rule_mathml(rule))
    assert document.documentElement.tagName == "math"
    assert document.documentElement.getAttribute("display") == "block"
    rows = document.documentElement.firstChild.childNodes
    assert len(rows) == len(rule_equations(rule))
    for _, number in (pairs := hyperparameter_mathml(rule)):
        assert float(number) == pytest.approx(float(number))
    listed = {symbol for symbol, _ in pairs}
    used = {s for equation in rule_equations(rule) for s in equation.rhs.free_symbols}
    for name, symbol in _hyper_symbols(rule).items():
        if symbol in used:
            assert _inner(symbol) in {_strip(text) for text in listed}, name


def _strip(text):
    return text[text.index(">") + 1 : -len("</math>")]


def _inner(symbol):
    from optviz.readings.mathml import symbol_mathml

    return _strip(symbol_mathml(symbol.name))


@pytest.mark.parametrize(("cls", "settings"), CASES)
def test_no_case_is_nested_in_another(cls, settings):
    rule = cls(**settings)
    expressions = [e.rhs for e in rule_equations(rule)] + list(traced_equations(rule).terms.values())
    for expression in expressions:
        for cases in expression.atoms(sympy.Piecewise):
            assert not any(part.has(sympy.Piecewise) for pair in cases.args for part in pair.args)


def test_what_is_off_is_left_out():
    plain = rule_equations(SGD(lr=0.1))
    assert [str(e) for e in plain] == ["Eq(x_(t+1), -eta*g_t + x_t)"]
    assert {str(s) for e in rule_equations(SGD(momentum=0.9)) for s in e.rhs.free_symbols} == {
        "x_t", "eta", "b_t", "mu", "b_(t-1)", "g_t", "t"}  # fmt: skip
    assert len(rule_equations(Adam())) == 5 and len(rule_equations(Adam(weight_decay=0.1))) == 6


def test_the_symbols_are_the_fields():
    text = rule_mathml(Adam())
    for part in ("&#951;", "&#946;", "<mover", "<msqrt>", "<mfrac>", "&#949;"):
        assert part in text, part
    assert text.count("text-align: right") == text.count("text-align: center") == 5
    assert "hat" not in text and "InvisibleTimes" not in text
    assert "<mover" in term_mathml("m_hat") and "max" in term_mathml("v_max")
    assert ">&#961;<" in rule_mathml(RAdam()) and "&#8734;" in rule_mathml(RAdam())


def test_a_moved_hyperparameter_costs_a_look_up(monkeypatch):
    assert rule_mathml(Adam(lr=0.1)) is rule_mathml(Adam(lr=0.2, beta1=0.5))
    rule = AdamW()
    rule_mathml(rule), hyperparameter_mathml(rule)
    monkeypatch.setattr("optviz.readings.equations.mathml", None)  # which writes what is new
    for k in range(100):
        rule.lr = 0.001 * (k + 1)
        rule_mathml(rule), hyperparameter_mathml(rule)


def test_numbers_are_current():
    rule = Adam(lr=0.25, beta1=0.5)
    assert [number for _, number in hyperparameter_mathml(rule)] == ["0.25", "0.5", "0.999", "1e-08"]
    rule.lr = 0.125
    assert hyperparameter_mathml(rule)[0][1] == "0.125"
    assert hyperparameter_mathml(SGD(lr=[0.1, 0.3]))[0][1] == "0.1 … 0.3"


def test_a_hyperparameter_that_is_only_a_first_value_is_named_so():
    symbols = [symbol for symbol, _ in hyperparameter_mathml(Rprop())]
    assert "&#916;" in symbols[0] and "<mn>0</mn>" in symbols[0]
    (first,) = [s for s, v in hyperparameter_mathml(Adagrad(initial_accumulator_value=0.5)) if v == "0.5"]
    assert ">s<" in first


def test_torch_optimizers_and_functions_say_they_have_no_formula():
    sentence = rule_mathml(TorchOptimizer(torch.optim.LBFGS))
    assert sentence == rule_equations(TorchOptimizer(torch.optim.LBFGS))
    assert sentence.startswith("LBFGS") and sentence.endswith(".") and "<" not in sentence
    assert hyperparameter_mathml(TorchOptimizer(torch.optim.LBFGS)) == []
    function = TorchFunction(lambda x, y: torch.sin(x) * y, ((-1, 1), (-1, 1)), label="waves")
    assert objective_mathml(function) == "waves is computed by torch and has no formula."


def test_a_users_rule_is_typeset_too():
    class Leaky(Rule):
        """A leaky sum."""

        memory = {"s_bar": 0.0}

        @staticmethod
        def update(h, memory, x, g, t, let, xp):
            return let("step", -0.1 * let("s_bar", xp.minimum(memory.s_bar, xp.abs(g))))

    xml.dom.minidom.parseString(rule_mathml(Leaky()))
    assert "min" in rule_mathml(Leaky()) and len(rule_equations(Leaky())) == 2


def test_the_newton_formula_has_a_line_a_coordinate():
    assert [str(e.lhs) for e in rule_equations(Newton())] == ["det_t", "x_1_(t+1)", "x_2_(t+1)"]


@pytest.mark.parametrize("cls", surfaces())
def test_an_objectives_formula_is_its_value(cls):
    names = cls.shape_names()
    surface = cls(**{n: 0.5 * getattr(cls(), n) + 1 for n in names})
    xml.dom.minidom.parseString(objective_mathml(surface))
    for point in np.random.default_rng(2).uniform(-2, 2, (5, 2)) * ([1, 0] if cls.is_curve else 1):
        got = evaluated(surface.expression(), dict(zip(("x", "y"), point, strict=True)))
        assert got == pytest.approx(float(surface.value(*point)), rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("loss", CRITERIA)
def test_a_losss_formula_is_one_samples_loss(loss):
    made = LinearRegression([1.0, 2.0], [3.0, -1.0], loss=loss, delta=0.7, beta=0.4, tau=0.8)
    xml.dom.minidom.parseString(objective_mathml(made))
    each = []
    for x, y in zip(made.x, made.y, strict=True):
        known = {"weight": 0.6, "bias": 0.2, "sample_x": x, "sample_y": y, "delta": 0.7, "beta": 0.4, "tau": 0.8}
        each.append(evaluated(readable(made.expression()), known))
    assert np.mean(each) == pytest.approx(float(made.value(0.6, 0.2)), rel=1e-12)
    xml.dom.minidom.parseString(objective_mathml(ReLUNet([1, 2], [3, 4])))


def test_a_users_function_is_typeset():
    text = objective_mathml(objective(lambda x, y: x**2 / 2 + abs(y) * np.exp(-x)))
    xml.dom.minidom.parseString(text)
    assert "<mfrac>" in text


@pytest.mark.parametrize("cls", surfaces())
def test_a_formulas_shape_parameters_are_symbols_with_their_numbers_beside_it(cls):
    surface = cls()
    for name in cls.shape_names():
        setattr(surface, name, getattr(surface, name) * 0.5 + 1)
    numbers = hyperparameter_mathml(surface)
    assert [value for _, value in numbers] == [f"{getattr(surface, n):.6g}" for n in cls.shape_names()]
    for symbol, _ in numbers:
        inner = symbol[symbol.index(">") + 1 : symbol.rindex("</math>")]
        assert inner in objective_mathml(surface)
