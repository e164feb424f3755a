"""What is said of a run's end agrees with distances measured on the run, on every surface under every rule."""

import re

import numpy as np
import pytest

from optviz import SGD, Adam, Newton, RMSprop, Rule, SurfaceDescent, descend, objective
from optviz.maps.basins import known_minima, local_minima
from optviz.menus import rules, surfaces
from optviz.objectives.minima import lowest_loss, minima_of
from optviz.objectives.surfaces import Rastrigin, Rosenbrock, RotatedQuadratic
from optviz.pictures.scene import expected_loss
from optviz.theory.outlook import outlook
from optviz.theory.stability import hessian_at
from optviz.theory.verdicts import place, shown, verdict

A_PAIR = 1  # random setting of each rule on each surface; 50 were tried by hand


def drawn(random, cls) -> Rule:
    """A rule with settings by chance: a learning rate over five decades, at times 0."""
    settings = {}
    for name in cls.hyperparameters():
        parameter = cls.param[name]
        if isinstance(parameter.default, bool):
            settings[name] = bool(random.integers(2))
        elif name == "lr":
            settings[name] = 0.0 if random.random() < 0.04 else 10 ** random.uniform(-4, 0.7) * cls.preset.get("lr", 1)
        else:
            off = getattr(parameter, "off", None)
            usual = parameter.default if off is None else off
            settings[name] = usual if random.random() < 0.6 else random.uniform(*parameter.softbounds)
    try:
        return cls(**settings)
    except ValueError:  # what PyTorch refuses
        return drawn(random, cls)


PLANES = [cls for cls in surfaces().values() if not cls.is_curve]  # curves: tests/test_curves.py


def cases(count: int, seed: int = 0):
    """Runs of every rule on every surface: the surface, the rule, the run, where gradients are cut."""
    random = np.random.default_rng(seed)
    for surface in PLANES:
        made = surface()
        for cls in rules().values():
            for _ in range(count):
                rule, steps = drawn(random, cls), int(random.choice([1, 8, 40, 60, 120]))
                start = made.starts[0] if random.random() < 0.3 else random.uniform(*np.transpose(made.domain))
                clip = random.uniform(0.1, 10) if random.random() < 0.15 else 0.0
                yield made, rule, descend(made, rule, start, steps, clip=clip or None), clip


def number(pattern: str, text: str) -> float | None:
    found = re.search(pattern, text)
    return None if found is None else float(found[1].replace("−", "-"))


NUMBER = r"([\d.]+(?:e[−+]?\d+)?)"


def near(told: float, measured: float) -> bool:
    """Equal to the three digits that are shown."""
    return abs(told - measured) <= 0.006 * abs(measured) + 1e-300


def check(made, rule, run, said: str, found) -> str:
    """Assert every claim of a verdict on a run, with distances of its own; returns what kind of claim it was."""
    x = run.x[:, 0][np.isfinite(run.x[:, 0]).all(axis=1)]
    points = local_minima(made)["points"]
    far = np.hypot(*np.moveaxis(x[:, None] - points[None], 2, 0))
    diagonal = np.linalg.norm(np.ptp(made.domain, axis=1))
    told = number(f"{NUMBER} from there", said)
    step = number(r"diverged at step (\d+)", said)
    assert (step is not None) == bool(run.diverged[0])
    if step is not None:
        assert step == run.diverged[0]
        return "diverged"
    if len(points):
        target = int(np.argmin(far[-1]))
        np.testing.assert_array_equal(found["target"], points[target])
        far = far[:, target]
        values = made.value(*points.T)
        assert found["lowest"] == (values[target] <= values.min() + 1e-6)
    quarter = far[-1 - (len(x) - 1) // 4 :] if len(points) else np.zeros(1)
    if "repeats itself" in said:
        period = int(number(r"every (\d+) steps", said))
        size = np.ptp(x[-period:], axis=0).max()
        gaps = [np.abs(x[-2 * p :] - x[-3 * p : -p]).max() for p in range(1, period + 1)]
        assert gaps[-1] <= 1e-5 * size and all(gap > 1e-7 * size for gap in gaps[:-1])
        quarter = far[-period:]
    elif told is not None and "around" not in said and "between" not in said:
        assert near(told, far[-1])
    both = re.search(f"between {NUMBER} and {NUMBER} from there", said)
    if both:
        assert near(float(both[1].replace("−", "-")), quarter.min())
        assert near(float(both[2].replace("−", "-")), quarter.max())
    check_pace(said, far)
    if "So it does" in said:
        check_foretold(made, rule, run, said, found)
    if "arrived" in said:
        assert far[-1] <= 1e-9 * diagonal and ("exactly" in said) == (far[-1] == 0)
    elif "where the slope vanishes" in said:
        check_saddle(made, x, said)
    elif "does not move" in said:
        assert (x == x[0]).all()
    elif "no longer moves" in said:
        assert np.ptp(x[-1 - len(x) // 5 :], axis=0).max() <= 1e-12 * diagonal and (x != x[0]).any()
    elif "hardly moves" in said:
        assert np.linalg.norm(np.diff(x, axis=0), axis=1).sum() <= 2e-3 * far[-1]
    elif "elsewhere" in said:
        assert far[-1] > local_minima(made)["reach"]
    elif "still moving" in said:
        assert not len(points) and (x[-1] != x[-2]).any()
    return re.split(r"[\d(]", said)[0]


def check_pace(said: str, far: np.ndarray) -> None:
    """A factor a step is that between two peaks of the distance, one in each half of the last quarter."""
    leaves = number(f"each step (?:leaves|left) {NUMBER} of", said)
    factor = leaves if leaves is not None else number(f"makes the distance {NUMBER} times", said)
    last = np.flatnonzero(far > 1e-9 * far.max())[-1] if far.any() else 0  # what comes after is rounding
    if factor is None or "arrived" in said or last < len(far) - 1:
        return
    half = max((len(far) - 1) // 4, 8) // 2
    change = np.log(far[-half:].max() / far[-2 * half : -half].max())
    paces = np.array([1, 2 * half - 1])
    if factor < 1 or (leaves is not None and change < 0):
        assert leaves is not None and change <= 1e-3 * half
        assert np.log(factor) * paces[1] * 1.01 - 1e-3 * half <= change <= np.log(factor) * paces[0] * 0.99 + 1e-3
    else:
        assert change >= -1e-3 * half
        assert np.log(factor) * paces[0] * 0.99 - 1e-3 <= change <= np.log(factor) * paces[1] * 1.01 + 1e-3 * half


def check_foretold(made, rule, run, said: str, found) -> None:
    """ "So it does" only of what was foretold, of the measured factor too."""
    rate, sentence = found["rate"], found["sentence"]
    if "not settle" in said or "around" in said:
        assert abs(rate - 1) < 1e-6
        return
    leaves = number(f"each step (?:leaves|left) {NUMBER} of", said)
    factor = leaves if leaves is not None else number(f"makes the distance {NUMBER} times", said)
    assert factor is not None and (factor < 1) == ("will converge" in sentence), (said, sentence)
    assert (factor > 1) == ("will diverge" in sentence or "leaves it that way" in sentence)
    assert abs(np.log(factor) - np.log(rate)) <= 0.26 * abs(np.log(rate)) + 1e-4
    slope = made.gradient(*run.x[-1, 0]) - hessian_at(made, found["target"]) @ (run.x[-1, 0] - found["target"])
    wanted = hessian_at(made, found["target"]) @ (run.x[-1, 0] - found["target"])
    assert "arrived" in said or np.linalg.norm(slope) <= 0.31 * np.linalg.norm(wanted)


def check_saddle(made, x: np.ndarray, said: str) -> None:
    """A stationary point without a minimum, at the distance that is told."""
    written = re.search(r"the (saddle|maximum) \((.+), (.+)\), where", said)
    assert written is not None
    kind, *texts = written.groups()
    spot = np.array([float(v.replace("−", "-")) for v in texts])
    for _ in range(60 if np.abs(spot).max() > 1e-6 else 0):
        spot = spot - np.linalg.solve(hessian_at(made, spot), made.gradient(*spot))
    spot = np.where(np.abs(spot) < 1e-9, 0.0, spot)
    assert place(spot) == f"({texts[0]}, {texts[1]})"
    low, high = np.linalg.eigvalsh(hessian_at(made, spot))
    assert low <= 0 and (kind == "maximum") == (high < 0)
    gaps = np.linalg.norm(x - spot, axis=1)
    told = number(f"elsewhere: {NUMBER} from the (?:saddle|maximum)", said)
    if told is None:
        assert "stuck" in said and gaps[-1] <= 1e-10
    else:
        assert near(told, gaps[-1]) and ("leaving" in said) == (gaps[-1] > gaps[-2])


def judged(count: int, seed: int = 0) -> tuple[dict[str, int], list]:
    """How often each kind of verdict was given, every claim checked; and the runs for which a rate is drawn."""
    counted: dict[str, int] = {}
    rated = []
    for made, rule, run, clip in cases(count, seed):
        found = outlook(rule, made, run, local_minima(made), lowest_loss(made), clip)
        said = verdict(found)
        try:
            kind = check(made, rule, run, said, found)
        except AssertionError as error:
            raise AssertionError(f"{rule!r} on {made!r} from {run.x[0, 0]}, {run.steps} steps: {said}") from error
        counted[kind] = counted.get(kind, 0) + 1
        line = expected_loss(found, run.loss[:, 0], min(found["bottom"], 0) - 1.0, (1e-9, 1e9))
        rated += [(made, run, found["target"])] if len(line["x"]) else []
    return counted, rated


def check_basins(rated: list) -> None:
    """From where a rate is drawn a walk downhill by tiny steps comes to the minimum that it belongs to."""
    for made in {id(made): made for made, _, _ in rated}.values():
        ends = np.array([run.final[0] for own, run, _ in rated if own is made])
        targets = np.array([target for own, _, target in rated if own is made])
        rates = [0.5 / np.linalg.eigvalsh(hessian_at(made, target))[-1] for target in targets]
        down = descend(made, SGD(lr=rates), ends, 4000).final
        assert (np.hypot(*(down - targets).T) <= 0.7 * np.hypot(*(ends - targets).T)).all(), made


def test_every_verdict_agrees_with_the_distances_of_its_run():
    counted, rated = judged(A_PAIR)
    assert sum(counted.values()) == A_PAIR * len(rules()) * len(PLANES) and len(counted) >= 8
    check_basins(rated)
    assert len(rated) > 30


def told(made, rule, start, steps: int) -> str:
    run = descend(made, rule, start, steps)
    return verdict(outlook(rule, made, run, local_minima(made), lowest_loss(made)))


@pytest.mark.parametrize(
    ("surface", "rule", "steps", "said"),
    [
        ("Six-hump camel", SGD(lr=0.05), 50, "So it does: each step leaves 0.6439 of the distance, and it has arrived"),
        ("Three-hump camel", SGD(lr=0.05), 50, "So it does: at its end it is 0.00426 from there"),
        ("Styblinski-Tang", SGD(lr=0.05), 50, "and it has arrived, exactly."),
        ("Quadratic 0.1 x² + 2 y²", SGD(lr=0.0), 50, "It does not move: it stays 5.39 from there."),
        ("Quadratic 0.1 x² + 2 y²", SGD(lr=1e-6), 50, "It hardly moves: all its steps together are 0.000403 long, and"),
        ("Quadratic 0.1 x² + 2 y²", SGD(lr=0.49), 3, "At its end it is 4.07 from there."),
        ("Quadratic 0.1 x² + 2 y²", SGD(lr=0.5), 2000, "So it does not settle: it repeats itself every 2 steps, 2"),
        ("Quadratic 0.1 x² + 2 y²", SGD(lr=0.2, weight_decay=0.1), 400, "So it does"),
        ("Six-hump camel", Newton(), 50, "This run is stuck elsewhere: at the saddle (1.11, −0.768), where the slope"),
        ("Himmelblau", Newton(), 50, "This run is stuck elsewhere: at the maximum (−0.271, −0.923), where the slope"),
        ("Bounded saddle", SGD(lr=0.1), 20, "from the saddle (0, 0), where the slope vanishes, and it is leaving"),
        ("Monkey saddle", SGD(lr=0.9), 60, "So it does: it diverged at step"),
        ("Rosenbrock", Adam(lr=0.1), 30, "This run is elsewhere: at its end it is 1.96 from there, and still coming"),
    ],
)  # fmt: skip
def test_what_is_said_of(surface, rule, steps, said):
    made = surfaces()[surface]()
    assert said in told(made, rule, made.starts[0], steps)


def test_a_run_beside_a_local_minimum_is_told_where_the_lowest_is():
    made = SurfaceDescent(objective="Six-hump camel")
    said = re.sub("<[^>]+>", "", made.side()["outlook"])
    assert "Near the local minimum (1.61, 0.569)" in said
    assert "The lowest minimum is 1.7 away, at (−0.0898, 0.713)." in said
    assert "from a local minimum" in made.status()
    made.objective_name = "Sphere"
    assert "local" not in made.side()["outlook"] + made.status()
    made.steps = 1
    assert made.status().startswith("After 1 step: ")


def test_the_cycle_that_is_foretold_of_rmsprop():
    """At lr 2 eps the frozen limit is reached where v has died out: x goes to and fro exactly."""
    made = objective(lambda x, y: (x**2 + y**2) / 2, domain=((-2, 2), (-2, 2)))
    rule = RMSprop(lr=0.3, alpha=0.5)
    found = outlook(rule, made, run := descend(made, rule, (1, 0.5), 2000), local_minima(made), lowest_loss(made))
    np.testing.assert_allclose(np.abs(run.x[-1, 0]), 0.15, rtol=1e-6)
    assert verdict(found) == "So it does not settle: it repeats itself every 2 steps, 0.212 from there.", found


def test_local_minima_are_hollow_stars():
    made = SurfaceDescent(objective="Six-hump camel")
    layers, legend = made.drawings["surface"].layers, made.drawings["surface"].legend
    points = minima_of(made.objective)
    stars = {name: np.column_stack([layers[name]["x"], layers[name]["y"]]) for name in ("minima", "local")}
    np.testing.assert_allclose(stars["minima"], made.objective.minima)
    assert len(stars["local"]) == 4 and len(points) == 6
    assert all(np.hypot(*(points - star).T).min() < 1e-6 for star in stars["local"])
    assert legend["local minimum"] and legend["minimum"]
    made.objective_name = "Monkey saddle"
    assert not any(made.drawings["surface"].legend[name] for name in ("local minimum", "minimum"))
    own = objective(lambda x, y: x**3 / 3 - x + y**2, domain=((-3, 3), (-2, 2)))  # falls without end to the left
    made = SurfaceDescent(objective=own, optimizer=SGD(lr=0.1), start=(2.0, 1.0))
    assert [len(made.drawings["surface"].layers[name]["x"]) for name in ("minima", "local")] == [0, 1]
    assert "Near the local minimum (1, 0)" in made.side()["outlook"]
    assert "lowest minimum" not in made.side()["outlook"]


@pytest.mark.parametrize("made", [Rastrigin(amplitude=1.5), Rastrigin(amplitude=0.2), Rosenbrock(steepness=3.0),
                                  RotatedQuadratic(condition=50.0, angle=70.0)])  # fmt: skip
def test_the_minima_of_a_changed_shape_are_those_that_a_search_finds(made):
    ours, searched = known_minima(made)["points"], minima_of(made)
    assert len(ours) == len(searched)
    assert all(np.hypot(*(searched - point).T).min() < 1e-6 for point in ours)


def test_numbers_have_true_minus_signs():
    assert [shown(v) for v in (-1.5, -0.0, 1e-20, 0.1234)] == ["−1.5", "0", "1e−20", "0.123"]
    said = SurfaceDescent(optimizer=SGD(lr=0.2), start=(-3.0, -1.0))
    assert not re.search(r"-\d", re.sub("<[^>]+>", "", said.side()["outlook"].split("<table>")[1] + said.status()))
