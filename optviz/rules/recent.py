"""Rules that came after Adam, each coordinate for itself, with the equations of their papers.

Where libraries differ a rule says which form it is. Checked against pytorch-optimizer
(https://github.com/kozistr/pytorch_optimizer) and papers' own code.
"""

from __future__ import annotations

from .hyperparameters import decay_rate, epsilon, first_beta, pull, rate, second_beta
from .rule import Hyperparameter, Rule

BESIDE = "Pull towards zero of lr times this, beside the step."


def _means(h, memory, g, let):
    """The running means of the gradient and of its square."""
    m = let("m", h.beta1 * memory.m + (1 - h.beta1) * g)
    return m, let("v", h.beta2 * memory.v + (1 - h.beta2) * g * g)


class AdaBelief(Rule):
    """Divide by how far gradients fall from what was expected, not by how large they are (arXiv 2010.07468)."""

    lr = rate(1e-3)
    beta1 = decay_rate(
        0.9, "beta_1", "β₁", "Decay rate of the gradient's running mean; at 0 nothing is a surprise.", high=0.995
    )
    beta2 = second_beta(doc="Decay rate of the squared surprise's running mean.")
    eps = epsilon(1e-16)
    weight_decay = pull(doc=BESIDE)

    memory = {"m": 0.0, "s": 0.0}
    preset = {"lr": 0.1, "eps": 1e-12}

    @staticmethod
    def update(h, memory, x, g, t, let, xp):
        m = let("m", h.beta1 * memory.m + (1 - h.beta1) * g)
        s = let("s", h.beta2 * memory.s + (1 - h.beta2) * (g - m) ** 2 + h.eps)
        m_hat = let("m_hat", m / (1 - h.beta1**t))
        s_hat = let("s_hat", s / (1 - h.beta2**t))
        return let("step", -h.lr * (m_hat / (xp.sqrt(s_hat) + h.eps) + h.weight_decay * x))


class Yogi(Rule):
    """Adam whose denominator falls no faster than it grows (Zaheer et al., NeurIPS 2018)."""

    lr = rate(1e-2)
    beta1 = first_beta()
    beta2 = second_beta()
    eps = epsilon(1e-3)
    initial_accumulator = Hyperparameter(1e-6, bounds=(0, None), softbounds=(0, 1), step=1e-6, precedence=2,
                                         doc="What both running means start from.")  # fmt: skip
    weight_decay = pull(doc=BESIDE)

    memory = {"m": "initial_accumulator", "v": "initial_accumulator"}
    preset = {"lr": 0.1}

    @staticmethod
    def update(h, memory, x, g, t, let, xp):
        m = let("m", h.beta1 * memory.m + (1 - h.beta1) * g)
        v = let("v", memory.v - (1 - h.beta2) * xp.sign(memory.v - g * g) * g * g)
        m_hat = let("m_hat", m / (1 - h.beta1**t))
        v_hat = let("v_hat", v / (1 - h.beta2**t))
        return let("step", -h.lr * (m_hat / (xp.sqrt(v_hat) + h.eps) + h.weight_decay * x))


class QHAdam(Rule):
    """Adam's two means, each mixed with the newest gradient (arXiv 1810.06801); with both shares 1 it is Adam."""

    lr = rate(1e-3)
    beta1 = first_beta()
    beta2 = second_beta()
    nu1 = Hyperparameter(1.0, bounds=(0, None), softbounds=(0, 1), step=0.01, off=1, symbol="nu_1", label="ν₁",
                         on_map=(0.0, 1.0, False), doc="Share of the running mean in the step's top.")  # fmt: skip
    nu2 = Hyperparameter(1.0, bounds=(0, 1), softbounds=(0, 1), step=0.01, off=1, symbol="nu_2", label="ν₂",
                         on_map=(0.0, 1.0, False), doc="Share of the running mean under the root.")  # fmt: skip
    eps = epsilon(1e-8)
    weight_decay = pull(doc=BESIDE)

    memory = {"m": 0.0, "v": 0.0}
    preset = {"lr": 0.1, "nu1": 0.7}

    @staticmethod
    def update(h, memory, x, g, t, let, xp):
        m, v = _means(h, memory, g, let)
        m_hat = let("m_hat", m / (1 - h.beta1**t))
        v_hat = let("v_hat", v / (1 - h.beta2**t))
        top = let("u", (1 - h.nu1) * g + h.nu1 * m_hat)
        below = let("w", (1 - h.nu2) * g * g + h.nu2 * v_hat)
        return let("step", -h.lr * (top / (xp.sqrt(below) + h.eps) + h.weight_decay * x))


class LaProp(Rule):
    """Divide first, then remember: momentum of gradients that are already scaled (arXiv 2002.04839).

    pytorch-optimizer's form at a constant rate: weight decay comes after the step.
    """

    lr = rate(4e-4)
    beta1 = first_beta()
    beta2 = second_beta()
    eps = epsilon(1e-15)
    weight_decay = pull(doc="Pull towards zero of lr times this, after the step.")

    memory = {"v": 0.0, "m": 0.0}
    preset = {"lr": 0.1}

    @staticmethod
    def update(h, memory, x, g, t, let, xp):
        v = let("v", h.beta2 * memory.v + (1 - h.beta2) * g * g)
        scaled = let("n", g * xp.sqrt(1 - h.beta2**t) / (xp.sqrt(v + 1e-15) + h.eps))
        m = let("m", h.beta1 * memory.m + (1 - h.beta1) * scaled)
        first = let("u", -h.lr * m / (1 - h.beta1**t))
        return let("step", first - h.lr * h.weight_decay * (x + first))


class Adan(Rule):
    """Momentum of the gradient and of its change from step to step (arXiv 2208.06677)."""

    lr = rate(1e-3)
    beta1 = first_beta(0.98)
    beta2 = second_beta(0.92, doc="Decay rate of the running mean of the gradient's change.")
    beta3 = decay_rate(0.99, "beta_3", "β₃", "Decay rate of the squares' running mean.")
    eps = epsilon(1e-8)
    weight_decay = pull(doc="Pull towards zero: after the step all is divided by 1 + lr times this.")

    memory = {"g_kept": 0.0, "m": 0.0, "n": 0.0, "v": 0.0}
    preset = {"lr": 0.1}

    @staticmethod
    def update(h, memory, x, g, t, let, xp):
        change = let("delta", xp.where(xp.equal(t, 1), 0 * g, g - memory.g_kept))
        let("g_kept", g)
        m = let("m", h.beta1 * memory.m + (1 - h.beta1) * g)
        n = let("n", h.beta2 * memory.n + (1 - h.beta2) * change)
        v = let("v", h.beta3 * memory.v + (1 - h.beta3) * (g + h.beta2 * change) ** 2)
        ahead = let("u", m / (1 - h.beta1**t) + h.beta2 * n / (1 - h.beta2**t))
        first = let("p", -h.lr * ahead / (xp.sqrt(v / (1 - h.beta3**t)) + h.eps))
        return let("step", (first - h.lr * h.weight_decay * x) / (1 + h.lr * h.weight_decay))


class ADOPT(Rule):
    """Divide by the squares of the steps before, so that any beta2 converges (arXiv 2411.02853).

    The paper's form: the first step only looks; what is divided is cut at the fourth root of the
    steps since then.
    """

    lr = rate(1e-3)
    beta1 = first_beta()
    beta2 = second_beta(0.9999)
    eps = epsilon(1e-6)
    weight_decay = pull(doc=BESIDE)

    memory = {"v": 0.0, "m": 0.0}
    preset = {"lr": 0.1}

    @staticmethod
    def update(h, memory, x, g, t, let, xp):
        cut = let("c", xp.maximum(t - 1, 1) ** 0.25)
        scaled = g / xp.maximum(xp.sqrt(memory.v), h.eps)
        normed = let("n", xp.minimum(xp.maximum(scaled, -cut), cut))
        looks = xp.equal(t, 1)
        m = let("m", xp.where(looks, 0 * g, h.beta1 * memory.m + (1 - h.beta1) * normed))
        let("v", xp.where(looks, g * g, h.beta2 * memory.v + (1 - h.beta2) * g * g))
        return let("step", xp.where(looks, 0 * g, -h.lr * (m + h.weight_decay * x)))


class AdEMAMix(Rule):
    """Adam with a second, far slower mean of the gradient beside the first (arXiv 2409.03137)."""

    lr = rate(1e-3)
    beta1 = first_beta()
    beta2 = second_beta()
    beta3 = decay_rate(0.9999, "beta_3", "β₃", "Decay rate of the slow running mean.", step=1e-4)
    alpha = Hyperparameter(5.0, bounds=(0, None), softbounds=(0, 10), step=0.1, off=0, symbol="alpha",
                           on_map=(0.1, 20.0, True), doc="Weight of the slow mean.")  # fmt: skip
    warmup = Hyperparameter(1.0, bounds=(1, None), softbounds=(1, 500), step=1.0, precedence=2, symbol="T",
                            on_map=(1.0, 1000.0, True),
                            doc="Steps in which the slow mean comes in; at 1 it is there at once.")  # fmt: skip
    eps = epsilon(1e-8)
    weight_decay = pull(doc=BESIDE)

    memory = {"m": 0.0, "m_slow": 0.0, "v": 0.0}
    preset = {"lr": 0.03, "beta3": 0.99}

    @staticmethod
    def update(h, memory, x, g, t, let, xp):
        m, v = _means(h, memory, g, let)
        come = xp.minimum(t / h.warmup, 1)
        fast, slow = xp.log(xp.maximum(h.beta1, 1e-300)), xp.log(xp.maximum(h.beta3, 1e-300))
        keep = let("beta", xp.minimum(xp.exp(fast * slow / ((1 - come) * slow + come * fast)), h.beta3))
        m_slow = let("m_slow", keep * memory.m_slow + (1 - keep) * g)
        top = let("u", m / (1 - h.beta1**t) + h.alpha * come * m_slow)
        root = xp.sqrt(v / (1 - h.beta2**t)) + h.eps
        return let("step", -h.lr * (top / root + h.weight_decay * x))


class AdaBound(Rule):
    """Adam whose rate is held between bounds that close in on one final rate, SGD's (arXiv 1902.09843).

    The final rate is stated in learning rates, so that lr scales the whole of it, as schedules do; pytorch-optimizer
    states `final_lr`, which is `final` times lr.
    """

    lr = rate(1e-3)
    beta1 = first_beta()
    beta2 = second_beta()
    final = Hyperparameter(100.0, bounds=(0, None), softbounds=(1, 200), step=1.0, symbol="phi", label="Final rate",
                           on_map=(1.0, 1000.0, True), doc="The rate in the end, in learning rates.")  # fmt: skip
    gamma = Hyperparameter(1e-3, bounds=(0, None), inclusive_bounds=(False, False), softbounds=(1e-3, 1), step=1e-3,
                           symbol="gamma", on_map=(1e-4, 1.0, True), doc="How fast the bounds close in.")  # fmt: skip
    eps = epsilon(1e-8)
    weight_decay = pull(doc=BESIDE)

    memory = {"m": 0.0, "v": 0.0}
    preset = {"lr": 0.01, "final": 5.0, "gamma": 0.1}
    own_sentence = "passes from Adam's rate to a final one of its own: no one limit holds for both."

    @staticmethod
    def update(h, memory, x, g, t, let, xp):
        m, v = _means(h, memory, g, let)
        last = let("phi", h.final * h.lr)
        low, high = let("a", last * (1 - 1 / (h.gamma * t + 1))), let("b", last * (1 + 1 / (h.gamma * t)))
        own = let("u", h.lr * xp.sqrt(1 - h.beta2**t) / (1 - h.beta1**t) / (xp.sqrt(v + 1e-15) + h.eps))
        return let("step", -xp.clip(own, low, high) * m - h.lr * h.weight_decay * x)
