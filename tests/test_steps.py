"""What a page's player says of a step: the rule's formula with the run's own numbers gives the next point."""

import math
from itertools import product

import numpy as np
import pytest
import sympy

from optviz import SGD, Adam, Rprop, menus
from optviz.objectives.surfaces import Quadratic, Rosenbrock
from optviz.readings.equations import settings_of, typeset
from optviz.readings.letters import bare, corrections, letters
from optviz.rules.coupled import Shampoo
from optviz.rules.schedules import CosineAnnealingLR
from optviz.runs.descent import descend
from optviz.runs.steps import Played, last_step, letters_at, parts_of

TURNED_ON = {"momentum": 0.7, "weight_decay": 0.03, "lr_decay": 0.2, "damping": 0.3}
EVALUATED = {"Heaviside": lambda x: float(x > 0), "Max": max, "Min": min, "sign": lambda x: float(np.sign(x))}


def settings(cls) -> list:
    """A rule as it is, as the playground has it, and with what is switched off turned on, for all flags."""
    flags = [n for n in cls.hyperparameters() if isinstance(cls.param[n].default, bool)]
    on = {n: v for n, v in TURNED_ON.items() if n in cls.hyperparameters()}
    found = []
    for base, choice in product(({}, cls.preset, {**cls.preset, **on}), product((False, True), repeat=len(flags))):
        try:
            found.append(cls(**{**base, **dict(zip(flags, choice, strict=True))}))
        except ValueError:  # refused, as in PyTorch
            continue
    return found


def assert_formula_holds(played: Played, t: int) -> None:
    """Every equation of the formula, with the numbers of the step in place of its letters, gives what the run has."""
    rule = played.rule
    close = 1e-9 if isinstance(rule, Shampoo) else 1e-12  # two products all but cancel
    keys = {text: name for name, text in letters(type(rule)).items()}
    for values in letters_at(played, t):
        for equation in typeset(type(rule), *settings_of(type(rule), rule.settings()))[0]:
            numbers = {s: values[keys[bare(s.name)]] for s in equation.rhs.free_symbols}
            got = float(sympy.lambdify(list(numbers), equation.rhs, [EVALUATED, "math"])(*numbers.values()))
            wanted = values[keys[bare(equation.lhs.name)]]
            assert math.isclose(got, wanted, rel_tol=close, abs_tol=close), (rule, t, equation)


@pytest.mark.parametrize("name", menus.rules())
def test_the_formula_with_its_numbers_gives_the_next_point(name):
    for rule in settings(menus.rules()[name]):
        run = descend(Rosenbrock(), rule, (-1.2, 1.0), 30, clip=20.0)
        for t in (1, 2, 7, 30):
            if t <= last_step(Played("", run, 0, run.steps, rule, Rosenbrock(), "", 0, 1)):
                assert_formula_holds(Played("", run, 0, run.steps, rule, Rosenbrock(), "", 0, 1), t)


def test_the_numbers_are_those_of_the_step_under_schedules_noise_and_lanes():
    for rule in (Adam(lr=0.3), Rprop(lr=0.2), SGD(lr=0.1, momentum=0.5)):
        run = descend(Quadratic(), rule, (-5.0, -2.0), 12, schedule=CosineAnnealingLR(), noise=0.5, seed=[3, 4])
        for lane, t in ((0, 1), (1, 2), (1, 12)):
            played = Played("", run, lane, run.steps, rule, Quadratic(), "", 0, 1)
            assert_formula_holds(played, t)
            assert letters_at(played, t)[0]["h.lr"] == run.rates[t - 1, lane]
    assert [letters_at(Played("", run, k, run.steps, rule, Quadratic(), "", 0, 1), 1)[0]["x_next"] for k in (0, 1)] == [
        *run.x[1, :, 0]
    ]
    lanes = SGD(lr=[0.1, 0.2])
    run = descend(Quadratic(), lanes, (-5.0, -2.0), 3)
    assert [letters_at(Played("", run, k, run.steps, lanes, Quadratic(), "", 0, 1), 2)[1]["h.lr"] for k in (0, 1)] == [
        0.1,
        0.2,
    ]


def test_bias_corrections_are_read_from_the_formula():
    found = {name: corrections(cls) for name, cls in menus.rules().items()}
    both = ["beta1", "beta2"]
    assert {name: found[name] for name in ("SGD", "Adam", "AdamW", "RAdam", "Adamax", "Lion")} == {
        "SGD": [], "Adam": both, "AdamW": both, "RAdam": both, "Adamax": ["beta1"], "Lion": []}  # fmt: skip
    rule = Adam(lr=0.1)
    run = descend(Quadratic(), rule, (1.0, 2.0), 5)
    parts = parts_of(Played("", run, 0, 5, rule, Quadratic(), "", 0, 1), corrections(Adam))
    np.testing.assert_allclose(parts["m"] / parts["1 - beta1^t"], parts["m_hat"], rtol=1e-14)
    np.testing.assert_allclose(parts["v"] / parts["1 - beta2^t"], parts["v_hat"], rtol=1e-14)
