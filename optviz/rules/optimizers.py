"""The catalogue of update rules, each with PyTorch's exact semantics unless it says otherwise.

Rules of other conventions say so: `Momentum` and `Inertia` are the seed notebooks' forms,
`eps_inside=True` puts eps under the root as they do. Sources: the torch.optim pages
(https://pytorch.org/docs/stable/optim.html) and the papers named at each class.
"""

from __future__ import annotations

import numpy as np
import param

from .hyperparameters import (
    decay_rate,
    epsilon,
    epsilon_inside,
    first_beta,
    pull,
    rate,
    root,
    second_beta,
    velocity_kept,
)
from .rule import Hyperparameter, Rule


class SGD(Rule):
    """Step against the gradient; with momentum, dampening, Nesterov and weight decay.

    PyTorch's form: the buffer b is free of the learning rate, the first b is the gradient
    itself, dampening starts at the second step (torch.optim.SGD).
    """

    lr = rate(1e-3)
    momentum = velocity_kept()
    dampening = Hyperparameter(0.0, bounds=(None, None), softbounds=(0, 1), step=0.01, off=0, precedence=2,
                               symbol="tau", on_map=(0.0, 0.99, False),
                               doc="Share of the new gradient that momentum leaves out.")  # fmt: skip
    weight_decay = pull()
    nesterov = param.Boolean(False, precedence=2, doc="Look ahead: step along the gradient plus the new velocity.")

    memory = {"b": 0.0}
    preset = {"lr": 0.05}

    def check(self):
        """Refuse what torch.optim.SGD refuses: Nesterov with dampening or without momentum."""
        if self.nesterov and (np.any(np.less_equal(self.momentum, 0)) or np.any(self.dampening)):
            got = f"momentum {self.momentum} and dampening {self.dampening}"
            raise ValueError(
                "SGD: Nesterov momentum requires a momentum above 0 and zero dampening, "
                f"not {got}; change one of them or switch Nesterov off."
            )

    @staticmethod
    def update(h, memory, x, g, t, let, xp):
        d = let("d", g + h.weight_decay * x)
        buffer = h.momentum * memory.b + (1 - h.dampening) * d
        b = let("b", xp.where(xp.equal(h.momentum, 0), d, xp.where(xp.equal(t, 1), d, buffer)))
        return let("step", -h.lr * (d + h.momentum * b if h.nesterov else b))


class Momentum(Rule):
    """Velocity with the learning rate inside: v = momentum v + lr g, then x - v.

    The seed notebooks' form (Sutskever et al., ICML 2013). SGD's path while lr is
    constant; a lower lr in mid-run slows this form gradually, SGD's form at once.
    """

    lr = rate(0.1)
    momentum = velocity_kept(0.1)
    memory = {"v": 0.0}

    @staticmethod
    def update(h, memory, x, g, t, let, xp):
        v = let("v", h.momentum * memory.v + h.lr * g)
        return let("step", -v)


class Inertia(Rule):
    """Step along a running mean of the gradients: v = momentum v + (1 - momentum) g.

    The seed notebooks' form: an average from the first step on, unlike PyTorch's
    dampening, which skips the first step.
    """

    lr = rate(0.1)
    momentum = velocity_kept(0.1)
    memory = {"v": 0.0}

    @staticmethod
    def update(h, memory, x, g, t, let, xp):
        v = let("v", h.momentum * memory.v + (1 - h.momentum) * g)
        return let("step", -h.lr * v)


class Adagrad(Rule):
    """Divide by the root of all squared gradients so far (Duchi et al., JMLR 2011)."""

    lr = rate(0.01, high=4.0, step=0.01)
    lr_decay = Hyperparameter(0.0, bounds=(0, None), softbounds=(0, 1), step=0.01, off=0, label="Learning rate decay",
                              symbol="kappa", on_map=(1e-3, 10.0, True),
                              doc="The rate falls as 1 / (1 + (t - 1) lr_decay).")  # fmt: skip
    weight_decay = pull()
    initial_accumulator_value = Hyperparameter(0.0, bounds=(0, None), softbounds=(0, 10), step=0.1,
                                               precedence=2, doc="What the sum of squares starts from.")  # fmt: skip
    eps = epsilon(1e-10)
    eps_inside = epsilon_inside()

    memory = {"s": "initial_accumulator_value"}
    preset = {"lr": 0.1, "eps": 1e-6, "eps_inside": True}

    @staticmethod
    def update(h, memory, x, g, t, let, xp):
        d = let("d", g + h.weight_decay * x)
        s = let("s", memory.s + d * d)
        rate = h.lr / (1 + (t - 1) * h.lr_decay)
        return let("step", -rate * d / root(s, h, xp))


class RMSprop(Rule):
    """Divide by the root of a running mean of squared gradients (Hinton, lecture 6e, 2012)."""

    lr = rate(0.01)
    alpha = decay_rate(0.99, "alpha", "α", "Decay rate of the squared gradient's running mean.", step=0.01)
    eps = epsilon(1e-8)
    momentum = velocity_kept()
    centered = param.Boolean(False, precedence=2, doc="Divide by the standard deviation: the squared mean taken off.")
    weight_decay = pull()
    eps_inside = epsilon_inside()

    memory = {"v": 0.0, "m": 0.0, "b": 0.0}
    preset = {"lr": 0.1, "alpha": 0.9, "eps": 1e-6, "eps_inside": True}

    @staticmethod
    def update(h, memory, x, g, t, let, xp):
        d = let("d", g + h.weight_decay * x)
        v = let("v", h.alpha * memory.v + (1 - h.alpha) * d * d)
        spread = v
        if h.centered:
            m = let("m", memory.m + (1 - h.alpha) * (d - memory.m))
            spread = v - m * m
        b = let("b", h.momentum * memory.b + d / root(spread, h, xp))
        return let("step", -h.lr * b)


class Adam(Rule):
    """Running mean of the gradient over the root of that of its square (arXiv 1412.6980)."""

    lr = rate(1e-3)
    beta1 = first_beta()
    beta2 = second_beta()
    eps = epsilon(1e-8)
    weight_decay = pull()
    amsgrad = param.Boolean(False, precedence=2, doc="Never let the denominator fall (arXiv 1904.09237).")

    memory = {"m": 0.0, "v": 0.0, "v_max": 0.0}
    preset = {"lr": 0.1, "eps": 1e-6}
    preset_steps = 30

    @staticmethod
    def update(h, memory, x, g, t, let, xp):
        d = let("d", g + h.weight_decay * x)
        return let("step", _adam_step(h, memory, d, t, let, xp))


def _adam_step(h, memory, d, t, let, xp):
    m = let("m", memory.m + (1 - h.beta1) * (d - memory.m))
    v = let("v", h.beta2 * memory.v + (1 - h.beta2) * d * d)
    m_hat = let("m_hat", m / (1 - h.beta1**t))
    top = let("v_max", xp.maximum(memory.v_max, v)) if h.amsgrad else v
    v_hat = let("v_hat", top / (1 - h.beta2**t))
    return -h.lr * m_hat / (xp.sqrt(v_hat) + h.eps)


class AdamW(Adam):
    """Adam with weight decay applied to the parameter, not the gradient (arXiv 1711.05101)."""

    weight_decay = pull(0.01, doc="Pull towards zero of lr times this, beside Adam's step.")
    preset = {"lr": 0.1, "eps": 1e-6, "weight_decay": 0.01}
    preset_steps = 50

    @staticmethod
    def update(h, memory, x, g, t, let, xp):
        return let("step", _adam_step(h, memory, g, t, let, xp) - h.lr * h.weight_decay * x)


class NAdam(Rule):
    """Adam with Nesterov's look-ahead and a warming momentum (Dozat, ICLR workshop 2016)."""

    lr = rate(2e-3)
    beta1 = first_beta()
    beta2 = second_beta()
    eps = epsilon(1e-8)
    weight_decay = pull()
    momentum_decay = Hyperparameter(4e-3, bounds=(0, None), softbounds=(0, 0.1), step=0.001, precedence=2,
                                    symbol="psi", on_map=(1e-4, 1.0, True),
                                    doc="How fast the momentum warms up.")  # fmt: skip
    decoupled_weight_decay = param.Boolean(
        False, precedence=2, doc="Decay the parameter instead of the gradient, as AdamW."
    )

    memory = {"m": 0.0, "v": 0.0, "mu_product": 1.0}
    preset = {"lr": 0.1}

    @staticmethod
    def update(h, memory, x, g, t, let, xp):
        decay = h.weight_decay * x
        d = g if h.decoupled_weight_decay else let("d", g + decay)
        now = let("mu", h.beta1 * (1 - 0.5 * 0.96 ** (t * h.momentum_decay)))
        later = let("mu_next", h.beta1 * (1 - 0.5 * 0.96 ** ((t + 1) * h.momentum_decay)))
        product = let("mu_product", memory.mu_product * now)
        m = let("m", memory.m + (1 - h.beta1) * (d - memory.m))
        v = let("v", h.beta2 * memory.v + (1 - h.beta2) * d * d)
        ahead = let("m_hat", (1 - now) / (1 - product) * d + later / (1 - product * later) * m)
        root = xp.sqrt(v / (1 - h.beta2**t)) + h.eps
        return let("step", -h.lr * ahead / root - (h.lr * decay if h.decoupled_weight_decay else 0))


class RAdam(Rule):
    """Adam that waits until its denominator can be trusted (arXiv 1908.03265)."""

    lr = rate(1e-3)
    beta1 = first_beta()
    beta2 = second_beta()
    eps = epsilon(1e-8)
    weight_decay = pull()
    decoupled_weight_decay = param.Boolean(
        False, precedence=2, doc="Decay the parameter instead of the gradient, as AdamW."
    )

    memory = {"m": 0.0, "v": 0.0}
    preset = {"lr": 0.1}

    @staticmethod
    def update(h, memory, x, g, t, let, xp):
        decay = h.weight_decay * x
        d = g if h.decoupled_weight_decay else let("d", g + decay)
        m = let("m", memory.m + (1 - h.beta1) * (d - memory.m))
        v = let("v", h.beta2 * memory.v + (1 - h.beta2) * d * d)
        m_hat = let("m_hat", m / (1 - h.beta1**t))
        longest = let("rho_inf", 2 / (1 - h.beta2) - 1)
        length = let("rho", longest - 2 * t * h.beta2**t / (1 - h.beta2**t))
        ratio = (length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length)
        # The rectification counts above 5 only; its absolute value has a root everywhere.
        r = let("r", xp.sqrt(xp.abs(ratio)))
        scale = let("l", xp.sqrt(1 - h.beta2**t) / (xp.sqrt(v) + h.eps))
        ahead = let("u", xp.where(length > 5, r * scale * m_hat, m_hat))
        return let("step", -h.lr * ahead - (h.lr * decay if h.decoupled_weight_decay else 0))


class Adamax(Rule):
    """Adam with the largest recent gradient in the denominator (arXiv 1412.6980, section 7)."""

    lr = rate(2e-3)
    beta1 = first_beta()
    beta2 = second_beta()
    eps = epsilon(1e-8)
    weight_decay = pull()

    memory = {"m": 0.0, "u": 0.0}
    preset = {"lr": 0.1}

    @staticmethod
    def update(h, memory, x, g, t, let, xp):
        d = let("d", g + h.weight_decay * x)
        m = let("m", memory.m + (1 - h.beta1) * (d - memory.m))
        u = let("u", xp.maximum(h.beta2 * memory.u, xp.abs(d) + h.eps))
        return let("step", -h.lr / (1 - h.beta1**t) * m / u)


class Adadelta(Rule):
    """Steps measured by the steps before: no rate to tune (arXiv 1212.5701)."""

    lr = rate(1.0, high=20.0, step=0.01)
    rho = decay_rate(0.9, "rho", "ρ", "Decay rate of both running means.", step=0.01)
    eps = epsilon(1e-6)
    weight_decay = pull()

    memory = {"v": 0.0, "u": 0.0}
    preset = {"lr": 10.0}

    @staticmethod
    def update(h, memory, x, g, t, let, xp):
        d = let("d", g + h.weight_decay * x)
        v = let("v", h.rho * memory.v + (1 - h.rho) * d * d)
        delta = let("delta", xp.sqrt(memory.u + h.eps) / xp.sqrt(v + h.eps) * d)
        let("u", h.rho * memory.u + (1 - h.rho) * delta * delta)
        return let("step", -h.lr * delta)


class Rprop(Rule):
    """A step of its own for each coordinate, by the gradient's sign (Riedmiller and Braun 1993).

    `lr` is only the first step size; a schedule therefore changes nothing later, as in PyTorch.
    """

    lr = rate(0.01)
    etaminus = Hyperparameter(0.5, bounds=(0, 1), inclusive_bounds=(False, False), softbounds=(0.05, 0.95),
                              step=0.01, symbol="eta_-", on_map=(0.05, 0.95, False), label="η₋",
                              doc="Factor where the sign flips.")  # fmt: skip
    etaplus = Hyperparameter(1.2, bounds=(1, None), inclusive_bounds=(False, True), softbounds=(1.01, 3),
                             step=0.01, symbol="eta_+", on_map=(1.01, 3.0, False), label="η₊",
                             doc="Factor where the sign stays.")  # fmt: skip
    step_size_min = Hyperparameter(1e-6, bounds=(0, None), softbounds=(0, 0.1), step=1e-6, precedence=2,
                                   symbol="Delta_min", doc="Smallest step.")  # fmt: skip
    step_size_max = Hyperparameter(50.0, bounds=(0, None), softbounds=(0, 50), step=0.1, precedence=2,
                                   symbol="Delta_max", doc="Largest step.")  # fmt: skip

    memory = {"g_kept": 0.0, "size": "lr"}
    preset = {"lr": 0.1}

    @staticmethod
    def update(h, memory, x, g, t, let, xp):
        turn = let("turn", xp.sign(g * memory.g_kept))
        factor = let("factor", xp.where(turn > 0, h.etaplus, xp.where(turn < 0, h.etaminus, 1)))
        grown = xp.maximum(factor * memory.size, h.step_size_min)
        size = let("size", xp.minimum(grown, h.step_size_max))
        kept = let("g_kept", xp.where(turn < 0, 0 * g, g))
        return let("step", -xp.sign(kept) * size)


class Lion(Rule):
    """The sign of an interpolated momentum, with decoupled decay (arXiv 2302.06675)."""

    lr = rate(1e-4)
    beta1 = first_beta(doc="Share of the momentum in the step's sign.")
    beta2 = second_beta(0.99, doc="Decay rate of the momentum.")
    weight_decay = pull(doc="Pull towards zero of lr times this, beside the step.")

    memory = {"m": 0.0}
    preset = {"lr": 0.1}

    @staticmethod
    def update(h, memory, x, g, t, let, xp):
        c = let("c", h.beta1 * memory.m + (1 - h.beta1) * g)
        let("m", h.beta2 * memory.m + (1 - h.beta2) * g)
        return let("step", -h.lr * (xp.sign(c) + h.weight_decay * x))


class Newton(Rule):
    """Jump to the bottom of the local quadratic: solve (H + damping I) step = -lr g.

    Reaches a quadratic's minimum in one step at lr 1; goes to any stationary point, saddles
    included (Nocedal and Wright, Numerical Optimization, section 3.3). Two variables.
    """

    lr = rate(1.0, high=2.0, step=0.01)
    damping = Hyperparameter(0.0, bounds=(0, None), softbounds=(0, 10), step=0.01, off=0,
                             symbol="delta", on_map=(1e-3, 100.0, True),
                             doc="Added to the Hessian's diagonal; where large, gradient descent.")  # fmt: skip
    coupled = curvature = True

    @staticmethod
    def update(h, memory, x, g, t, let, xp):
        (a, b), (c, d) = memory.H
        a, d = a + h.damping, d + h.damping
        det = let("det", a * d - b * c)
        first = let("step_1", -h.lr * (d * g[0] - b * g[1]) / det)
        second = let("step_2", -h.lr * (a * g[1] - c * g[0]) / det)
        return first, second
