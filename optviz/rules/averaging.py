"""Rules that report another point than where they take the gradient: a mean of where they have walked.

`x` is what is reported, as everywhere; a carried term has where the gradient is taken. Checked against torch and
schedulefree (https://github.com/facebookresearch/schedule_free).
"""

from __future__ import annotations

from .hyperparameters import decay_rate, epsilon, pull, rate, second_beta
from .rule import Hyperparameter, Rule

BESIDE_THE_MEAN = "takes its gradient beside the mean that it reports: no limit is read off that."


class ASGD(Rule):
    """SGD that reports the mean of its points from step t0 on (Polyak and Juditsky 1992).

    PyTorch's form; what it reports is PyTorch's `ax`, and a schedule acts one step later.
    """

    lr = rate(0.01)
    lambd = Hyperparameter(1e-4, bounds=(0, None), softbounds=(0, 1), step=1e-4, precedence=2, symbol="kappa",
                           label="Decay", on_map=(1e-6, 1.0, True),
                           doc="How fast the rate falls, and points are drawn towards zero.")  # fmt: skip
    alpha = Hyperparameter(0.75, bounds=(0, None), softbounds=(0, 1), step=0.05, precedence=2, symbol="alpha",
                           on_map=(0.0, 1.0, False), doc="Power of the rate's fall.")  # fmt: skip
    t0 = Hyperparameter(1e6, bounds=(0, None), softbounds=(0, 100), step=1.0, symbol="t_0", label="Mean from step",
                        on_map=(1.0, 1000.0, True), doc="Points after this step count in the mean.")  # fmt: skip
    weight_decay = pull()

    memory = {"w": "x", "eta": "lr", "mu": 1.0}
    preset = {"lr": 0.05, "t0": 20.0}
    own_sentence = "reports a mean of its points: no limit is read off what it reports."

    @staticmethod
    def stand(h, memory, x):
        return memory.w

    @staticmethod
    def update(h, memory, x, g, t, let, xp):
        d = let("d", g + h.weight_decay * memory.w)
        w = let("w", memory.w * (1 - h.lambd * memory.eta) - memory.eta * d)
        let("eta", h.lr / (1 + h.lambd * h.lr * t) ** h.alpha)
        let("mu", 1 / xp.maximum(1, t - h.t0))
        return let("step", memory.mu * (w - x))


def _warmup():
    return Hyperparameter(1.0, bounds=(1, None), softbounds=(1, 100), step=1.0, precedence=2, symbol="T",
                          on_map=(1.0, 1000.0, True),
                          doc="Steps in which the rate comes up; at 1 it is there at once.")  # fmt: skip


def _power():
    return Hyperparameter(0.0, bounds=(0, None), softbounds=(0, 10), step=0.5, off=0, precedence=2, symbol="r",
                          on_map=(0.1, 20.0, True), doc="Later points weigh as their step to this power.")  # fmt: skip


def _rate_power():
    return Hyperparameter(2.0, bounds=(0, None), softbounds=(0, 4), step=0.5, precedence=2, symbol="p",
                          on_map=(0.0, 8.0, False), doc="Points weigh as their rate to this power.")  # fmt: skip


def _between(share, memory, x):
    """Where the gradient is taken: between what walks and what is reported."""
    return (1 - share) * memory.z + share * x


def _averaged(h, memory, x, d, t, let, xp):
    """Walk along d, and move the mean by that point's share of all weights."""
    now = let("gamma", h.lr * xp.minimum(1, t / h.warmup))
    most = let("gamma_max", xp.maximum(memory.gamma_max, now))
    weight = let("w", t**h.r * most**h.weight_lr_power)
    whole = let("W", memory.W + weight)
    z = let("z", memory.z - now * d)
    return let("step", weight / xp.maximum(whole, 1e-300) * (z - x))


class ScheduleFreeSGD(Rule):
    """SGD whose mean of all points needs no falling rate (arXiv 2405.15682).

    Reports the mean x; gradients are taken between it and the point z that walks.
    """

    lr = rate(1.0)
    momentum = decay_rate(0.9, "beta", "β", "How near to the mean the gradient is taken.", high=0.995, is_momentum=True)
    warmup = _warmup()
    r = _power()
    weight_lr_power = _rate_power()
    weight_decay = pull()

    memory = {"z": "x", "gamma_max": 0.0, "W": 0.0}
    preset = {"lr": 0.3}
    own_sentence = BESIDE_THE_MEAN

    @staticmethod
    def stand(h, memory, x):
        return _between(h.momentum, memory, x)

    @staticmethod
    def update(h, memory, x, g, t, let, xp):
        y = let("y", _between(h.momentum, memory, x))
        d = let("d", g + h.weight_decay * y)
        return _averaged(h, memory, x, d, t, let, xp)


class ScheduleFreeAdamW(Rule):
    """AdamW whose mean of all points, in place of momentum, needs no falling rate (arXiv 2405.15682).

    Reports the mean x; gradients are taken between it and the point z that walks, and weight decay is of that place.
    """

    lr = rate(0.0025)
    beta1 = decay_rate(0.9, "beta_1", "β₁", "How near to the mean the gradient is taken.", high=0.995, is_momentum=True)
    beta2 = second_beta()
    warmup = _warmup()
    r = _power()
    weight_lr_power = _rate_power()
    eps = epsilon(1e-8)
    weight_decay = pull(doc="Pull towards zero of the place of the gradient, beside the step.")

    memory = {"z": "x", "v": 0.0, "gamma_max": 0.0, "W": 0.0}
    preset = {"lr": 0.3}
    own_sentence = BESIDE_THE_MEAN

    @staticmethod
    def stand(h, memory, x):
        return _between(h.beta1, memory, x)

    @staticmethod
    def update(h, memory, x, g, t, let, xp):
        y = let("y", _between(h.beta1, memory, x))
        v = let("v", h.beta2 * memory.v + (1 - h.beta2) * g * g)
        d = let("d", g / (xp.sqrt(v / (1 - h.beta2**t)) + h.eps) + h.weight_decay * y)
        return _averaged(h, memory, x, d, t, let, xp)
