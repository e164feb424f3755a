"""Runs of a rule on a surface, or on a curve, that do what nobody expects."""

from __future__ import annotations

from typing import Any

import numpy as np

from .counter_example import CounterExample


def _xs(experiment: Any) -> np.ndarray:
    return experiment.trajectory.x[:, 0, 0]


def goes_round(experiment: Any) -> bool:
    return experiment.results["outlook"]["end"]["period"] == 3


def has_diverged_below_descents_limit(experiment: Any) -> bool:
    found, xs = experiment.results["outlook"], _xs(experiment)
    return 0.67 < found["limit"] < 0.68 and abs(xs[-1]) > 1e6 and experiment.optimizer.lr < 1


def grows_and_settles(experiment: Any) -> bool:
    xs = np.abs(_xs(experiment))
    return bool(experiment.results["outlook"]["stable"] and xs.max() > 4.5 * xs[0] and xs[-1] < 0.01 * xs[0])


def swings_by_half_its_rate(experiment: Any) -> bool:
    rate, xs = experiment.optimizer.lr, _xs(experiment)
    return experiment.results["outlook"]["end"]["period"] == 2 and abs(abs(xs[-1]) - rate / 2) < 0.01 * rate


def swings_by_a_tenth_of_that(experiment: Any) -> bool:
    rates, xs = experiment.trajectory.rates[:, 0], np.abs(_xs(experiment))
    ends = [xs[int(0.45 * len(xs))] / rates[0], xs[-1] / rates[0]]
    return bool(abs(ends[0] - 0.5) < 0.01 and abs(ends[1] - 0.05) < 0.001)


def arrives_only_after_a_warm_up(experiment: Any) -> bool:
    rates = experiment.trajectory.rates[:, 0]
    return bool(rates[0] < 0.1 * rates[-1] and experiment.results["outlook"]["end"]["kind"] == "arrived"
                and not experiment.trajectory.diverged[0])  # fmt: skip


def jumps_after_silence(experiment: Any) -> bool:
    return bool(3 < np.abs(experiment.trajectory.updates).max() / experiment.optimizer.lr < 5)


def stops_at_the_box(experiment: Any) -> bool:
    return 9.5 < _xs(experiment)[-1] < 10.5 and bool(abs(experiment.results["minima"]["points"][0, 0] - 20) < 1e-6)


def stops_where_the_sum_has_its_minimum(experiment: Any) -> bool:
    return abs(_xs(experiment)[-1] - 5 / 3) < 1e-3


def comes_to_the_minimum(experiment: Any) -> bool:
    return abs(_xs(experiment)[-1] - 2) < 0.01


def rests_on_a_maximum(experiment: Any) -> bool:
    return bool(experiment.results["outlook"]["end"]["top"])


def is_held_at_the_edge(experiment: Any) -> bool:
    found = experiment.results["flow"]
    return found is not None and bool(
        np.max(found["sharpness"]) > 2 and abs(np.mean(found["sharpness"][100:]) - 2) < 0.01
    )


CURVE = {"objective": "parabola"}

COUNTER_EXAMPLES = (
    CounterExample(
        title="A heavy ball that goes round for ever",
        sentence="Strongly convex, a single minimum, the momentum that is best for quadratics: it never arrives.",
        source="Lessard, Recht and Packard 2016, section 4.6, arXiv 1408.3595",
        state={"objective": "threeslopes", "optimizer": "sgd", "lr": 0.1111111111111111, "momentum": 0.4444444444444444,
               "steps": 100}, happens=goes_round,
    ),
    CounterExample(
        title="Nesterov, less stable than descent",
        sentence="On x² descent converges up to rate 1; Nesterov's momentum 0.9 explodes at 0.75, its limit being 0.68.",
        source="The limit is (2 + 2 m) / (1 + 2 m) over the curvature, for PyTorch's form",
        state={**CURVE, "optimizer": "sgd", "lr": 0.75, "momentum": 0.9, "nesterov": "true"},
        happens=has_diverged_below_descents_limit,
    ),
    CounterExample(
        title="Stable, and five times further away at first",
        sentence="Momentum below its limit: every mode fades, and yet the run first moves off to five times its distance.",
        source="Goh, Why Momentum Really Works, Distill 2017: transient growth of a matrix that is not normal",
        state={**CURVE, "optimizer": "sgd", "lr": 1.85, "momentum": 0.9, "steps": 150, "start_x": 0.5},
        happens=grows_and_settles,
    ),
    CounterExample(
        title="RMSprop jumps over the minimum for ever",
        sentence="On x² it ends in a cycle of two steps, half a rate to either side, however small the rate.",
        source="Its step is the rate times the gradient's sign as soon as gradients are equally long",
        state={**CURVE, "optimizer": "rmsprop", "lr": 0.5, "alpha": 0.5, "steps": 200}, happens=swings_by_half_its_rate,
    ),
    CounterExample(
        title="Adam's step after a long silence",
        sentence="The rate is not its longest step: after 100 faint gradients one that counts moves it four rates back.",
        source="Kingma and Ba 2015, section 2.1, arXiv 1412.6980: up to (1 − β₁) / √(1 − β₂) rates",
        state={"objective": "formula", "formula": "where(x < 0, -x/1000, 5x)", "optimizer": "adam", "lr": 0.02,
               "beta1": 0.5, "beta2": 0.99, "steps": 160}, happens=jumps_after_silence,
    ),
    CounterExample(
        title="AdamW's box",
        sentence="The minimum is at 20; AdamW with decay 0.1 stops at 1 / 0.1 = 10, however steep the way on is.",
        source="Xie and Li 2024, arXiv 2404.04454: at a constant rate its weights stay within 1 / decay",
        state={"objective": "formula", "formula": "(x-20)^2", "optimizer": "adamw", "lr": 0.1, "weight_decay": 0.1,
               "steps": 600, "start_x": 13}, happens=stops_at_the_box,
    ),
    CounterExample(
        title="Weight decay through Adam",
        sentence="In the gradient, 0.4 of decay moves the end from 2 to 1.67: Adam seeks the minimum of the sum.",
        source="Loshchilov and Hutter 2019, arXiv 1711.05101",
        state={"objective": "formula", "formula": "(x-2)^2", "optimizer": "adam", "lr": 0.05, "beta2": 0.9,
               "weight_decay": 0.4, "steps": 800}, happens=stops_where_the_sum_has_its_minimum,
    ),
    CounterExample(
        title="The same decay beside Adam",
        sentence="Beside the step, as AdamW has it, the same 0.4 leaves the minimum at 2 where it is.",
        source="Loshchilov and Hutter 2019, arXiv 1711.05101",
        state={"objective": "formula", "formula": "(x-2)^2", "optimizer": "adamw", "lr": 0.05, "beta2": 0.9,
               "weight_decay": 0.4, "steps": 800}, happens=comes_to_the_minimum,
    ),
    CounterExample(
        title="A rate divided by ten stills the swing",
        sentence="RMSprop swings by half its rate; divided by ten after 100 steps, the rate leaves a tenth of the swing.",
        source="Its step is the rate times the gradient's sign: no constant rate comes nearer than half of itself",
        state={**CURVE, "optimizer": "rmsprop", "lr": 0.5, "alpha": 0.5, "steps": 200, "schedule": "multisteplr",
               "schedule_milestone_1": 100, "schedule_milestone_2": 0}, happens=swings_by_a_tenth_of_that,
    ),
    CounterExample(
        title="A warm-up lets a rate hold that would diverge",
        sentence="At once this rate diverges at step 6, where the surface is steep; after 60 steps of warm-up it arrives.",
        source="Gilmer and others 2021, arXiv 2110.04369: warm-up leads to where larger rates are stable",
        state={"objective": "beale", "optimizer": "sgd", "lr": 0.05, "momentum": 0.9, "steps": 500,
               "schedule_warmup": 60, "schedule_warmup_start": 0.01}, happens=arrives_only_after_a_warm_up,
    ),
    CounterExample(
        title="Newton climbs to a maximum",
        sentence="It seeks where the slope vanishes, and does not ask on which side of the hill that is.",
        source="Nocedal and Wright, Numerical Optimization, section 3.3",
        state={"objective": "cosinecurve", "optimizer": "newton", "start_x": 0.5}, happens=rests_on_a_maximum,
    ),
    CounterExample(
        title="Too steep for its steps, and yet it stays",
        sentence="The valley grows steeper until 2 / rate; the run swings, and its swings hold it there.",
        source="Cohen and others 2024, arXiv 2410.24206",
        state={"objective": "valley"}, happens=is_held_at_the_edge,
    ),
)  # fmt: skip
