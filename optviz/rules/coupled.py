"""Rules of two variables that work together: by a length, by a matrix, by one rate that they find for themselves.

Where libraries differ a rule says which form it is. Checked against torch, pytorch-optimizer
(https://github.com/kozistr/pytorch_optimizer) and prodigyopt (https://github.com/konstmish/prodigy).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import param

from .hyperparameters import decay_rate, epsilon, first_beta, pull, rate, second_beta
from .matrices import QUINTIC, added, inverse_root, length, power_step, product, total, turned, turned_back
from .recent import BESIDE
from .rule import Hyperparameter, Rule


def kept(memory: Any, name: str) -> list[Any]:
    """A carried term of both coordinates."""
    return [getattr(memory, f"{name}_{i}") for i in (1, 2)]


def both(let: Any, name: str, values: Any) -> tuple[Any, ...]:
    """Name a term of both coordinates."""
    return tuple(let(f"{name}_{i}", value) for i, value in enumerate(values, 1))


def running(let: Any, memory: Any, name: str, beta: Any, values: Any) -> tuple[Any, ...]:
    """The running means of these values, one a coordinate."""
    return both(let, name, [beta * m + (1 - beta) * v for m, v in zip(kept(memory, name), values, strict=True)])


def begun(**firsts: Any) -> dict[str, Any]:
    """What carried terms of both coordinates begin with."""
    return {f"{name}_{i}": first for name, first in firsts.items() for i in (1, 2)}


def _mean_size(values: Sequence[Any], xp: Any) -> Any:
    return xp.sqrt(total([v * v for v in values]) / len(values))


def every(doc: str, default: float = 10.0) -> Hyperparameter:
    """How many steps apart something is done."""
    return Hyperparameter(default, bounds=(1, None), softbounds=(1, 50), step=1.0, precedence=2, symbol="k",
                          on_map=(1.0, 100.0, True), doc=doc)  # fmt: skip


class Adafactor(Rule):
    """Adam without momentum that steps by a share of the parameters' own size (arXiv 1804.04235).

    PyTorch's form of a vector, whose squares are all kept; its `beta2_decay` is minus `decay_power`.
    """

    lr = rate(0.01)
    decay_power = Hyperparameter(0.8, bounds=(0, None), softbounds=(0, 1), step=0.01, symbol="c", label="Decay power",
                                 on_map=(0.05, 1.5, False),
                                 doc="The newest square counts as 1 over the step to this power.")  # fmt: skip
    eps1 = epsilon(2.0**-52)
    eps2 = Hyperparameter(1e-3, bounds=(0, None), softbounds=(0, 1), step=1e-3, precedence=2, symbol="epsilon_2",
                          on_map=(1e-6, 10.0, True), doc="What parameters count as large at least.")  # fmt: skip
    d = Hyperparameter(1.0, bounds=(1, None), softbounds=(1, 5), step=0.1, precedence=2, on_map=(1.0, 100.0, True),
                       doc="Longest step, before lr scales it.")  # fmt: skip
    weight_decay = pull(doc=BESIDE)

    coupled = True
    memory = begun(v=0.0)
    preset = {"lr": 0.1}

    @staticmethod
    def update(h, memory, x, g, t, let, xp):
        share = let("beta", 1 / t**h.decay_power)
        squares = [v + share * (a * a - v) for v, a in zip(kept(memory, "v"), g, strict=True)]
        v = both(let, "v", squares)
        size = let("alpha", xp.maximum(h.eps2, _mean_size(x, xp)) * xp.minimum(h.lr, 1 / t**0.5))
        u = both(let, "u", [a / xp.sqrt(xp.maximum(b, h.eps1 * h.eps1)) for a, b in zip(g, v, strict=True)])
        cut = let("w", xp.maximum(1, _mean_size(u, xp) / h.d))
        steps = [-size * a / cut - h.lr * h.weight_decay * b for a, b in zip(u, x, strict=True)]
        return both(let, "step", steps)


class Muon(Rule):
    """Momentum made a step of one length: of a matrix, one in which every direction moves as fast (Jordan 2024).

    PyTorch's form of a row of two; its Newton-Schulz polynomial exactly, where PyTorch rounds to bfloat16.
    """

    lr = rate(1e-3)
    momentum = decay_rate(0.95, "mu", "μ", "Decay rate of the gradient's running mean.", high=0.995, is_momentum=True)
    nesterov = param.Boolean(True, precedence=2, doc="Look ahead: mix the newest gradient in once more.")
    eps = epsilon(1e-7)
    weight_decay = pull(0.1, doc=BESIDE)
    match_rms = param.Boolean(False, precedence=2, label="Match AdamW's step",
                              doc="Steps as long as AdamW's: 0.2 times the root of the longer side.")  # fmt: skip

    coupled = True
    memory = begun(b=0.0)
    preset = {"lr": 0.1, "weight_decay": 0.0}

    @staticmethod
    def update(h, memory, x, g, t, let, xp):
        mean = running(let, memory, "b", h.momentum, g)
        u = mean
        if h.nesterov:
            u = both(let, "u", [a + h.momentum * (b - a) for a, b in zip(g, mean, strict=True)])
        size = let("n", xp.maximum(length(u, xp), h.eps))
        row = [a / size for a in u]
        square = let("A", total([a * a for a in row]))
        factor: Any = 1
        for k in range(1, 6):  # each round of the polynomial takes the row times one number
            a, b, c = QUINTIC
            factor = let(f"f_{k}", factor * (a + square * factor**2 * (b + c * square * factor**2)))
        scale = 0.2 * 2**0.5 if h.match_rms else 1
        return both(
            let, "step", [-h.lr * (scale * factor * a + h.weight_decay * b) for a, b in zip(row, x, strict=True)]
        )


class MARS(Rule):
    """AdamW on gradients that are set against the ones before, to cancel their noise (arXiv 2411.10438).

    The official form: no gradient before the first; the corrected gradient is cut at length 1.
    """

    lr = rate(3e-3)
    beta1 = first_beta(0.95)
    beta2 = second_beta(0.99)
    gamma = Hyperparameter(0.025, bounds=(0, None), softbounds=(0, 1), step=0.005, off=0, symbol="gamma",
                           on_map=(1e-3, 10.0, True), doc="Weight of the gradient's change.")  # fmt: skip
    eps = epsilon(1e-8)
    weight_decay = pull(doc=BESIDE)

    coupled = True
    memory = begun(g_tilde=0.0, m=0.0, v=0.0)
    preset = {"lr": 0.1}

    @staticmethod
    def update(h, memory, x, g, t, let, xp):
        more = h.gamma * h.beta1 / (1 - h.beta1)
        c = both(let, "c", [a + more * (a - b) for a, b in zip(g, kept(memory, "g_tilde"), strict=True)])
        both(let, "g_tilde", g)
        cut = let("w", xp.maximum(1, length(c, xp)))
        d = both(let, "d", [a / cut for a in c])
        m = running(let, memory, "m", h.beta1, d)
        v = running(let, memory, "v", h.beta2, [a * a for a in d])
        steps = [
            -h.lr * (a / (1 - h.beta1**t) / (xp.sqrt(b / (1 - h.beta2**t)) + h.eps) + h.weight_decay * p)
            for a, b, p in zip(m, v, x, strict=True)
        ]
        return both(let, "step", steps)


class Shampoo(Rule):
    """Adagrad with the whole matrix of squares: turned axes do not matter to it (arXiv 1802.09568).

    The form of a vector: full-matrix Adagrad.
    """

    lr = rate(1e-3, high=4.0)
    eps = epsilon(1e-6)

    coupled = True
    memory = {"R_11": 0.0, "R_21": 0.0, "R_22": 0.0}  # of the factor of the matrix L
    preset = {"lr": 1.0}

    @staticmethod
    def update(h, memory, x, g, t, let, xp):
        first = xp.equal(t, 1)
        before = (xp.where(first, h.eps**0.5, memory.R_11), memory.R_21, xp.where(first, h.eps**0.5, memory.R_22))
        before = [let(f"C_{k}", each) for k, each in zip(("11", "21", "22"), before, strict=True)]
        R = [let(f"R_{k}", each) for k, each in zip(("11", "21", "22"), added(before, g, xp), strict=True)]
        root = inverse_root(R, xp, let)
        return both(let, "step", [-h.lr * row[0] for row in product(root, [[a] for a in g])])


class SOAP(Rule):
    """Adam in Shampoo's own axes, which follow the gradients (arXiv 2409.11321).

    The first step only looks; weight decay comes after the step.
    """

    lr = rate(3e-3)
    beta1 = first_beta(0.95)
    beta2 = second_beta(0.95)
    shampoo_beta = decay_rate(0.95, "beta_s", "βₛ", "Decay rate of the matrix of squares.")
    every = every("Steps from one turn of the axes to the next.")
    eps = epsilon(1e-8)
    weight_decay = pull(doc="Pull towards zero of lr times this, after the step.")

    coupled = True
    memory = {"q_1": 1.0, "q_2": 0.0, **begun(m=0.0, v=0.0), "L_11": 0.0, "L_12": 0.0, "L_22": 0.0}
    preset = {"lr": 0.1, "every": 1.0}

    @staticmethod
    def update(h, memory, x, g, t, let, xp):
        looks, k = xp.equal(t, 1), xp.maximum(t - 1, 1)
        before = kept(memory, "q")
        p = both(let, "p", turned_back(before, g))
        m = [h.beta1 * a + (1 - h.beta1) * b for a, b in zip(kept(memory, "m"), g, strict=True)]
        m = both(let, "m", [xp.where(looks, 0 * a, a) for a in m])
        v = [h.beta2 * a + (1 - h.beta2) * b * b for a, b in zip(kept(memory, "v"), p, strict=True)]
        v = both(let, "w", [xp.where(looks, 0 * a, a) for a in v])
        inside = zip(turned_back(before, m), v, strict=True)
        n = both(let, "n", [a / (xp.sqrt(b) + h.eps) for a, b in inside])
        made_up = let("c", xp.sqrt(1 - h.beta2**k) / (1 - h.beta1**k))
        u = both(let, "u", [-h.lr * made_up * a for a in turned(before, n)])
        squares = {"L_11": g[0] * g[0], "L_12": g[0] * g[1], "L_22": g[1] * g[1]}
        L = [
            let(name, h.shampoo_beta * getattr(memory, name) + (1 - h.shampoo_beta) * a) for name, a in squares.items()
        ]
        after, swap = power_step([L[:2], L[1:]], before, xp, let)
        due = xp.equal((t - 1) % h.every, 0)
        both(let, "q", [xp.where(due, a, b) for a, b in zip(after, before, strict=True)])
        both(let, "v", [xp.where(due & swap, b, a) for a, b in (v, reversed(v))])
        steps = [a - h.lr * h.weight_decay * (b + a) for a, b in zip(u, x, strict=True)]
        return both(let, "step", [xp.where(looks, 0 * a, a) for a in steps])


class Prodigy(Rule):
    """Adam that finds its own step size d from how far it has come (arXiv 2306.06101).

    The authors' package's form: lr only scales what is found; weight decay beside the step.
    """

    lr = rate(1.0, high=4.0)
    beta1 = first_beta()
    beta2 = second_beta()
    d0 = Hyperparameter(1e-6, bounds=(0, None), inclusive_bounds=(False, False), softbounds=(1e-6, 1), step=1e-6,
                        symbol="d_0", label="First d", on_map=(1e-8, 1.0, True),
                        doc="What d begins with: far below any step that would do.")  # fmt: skip
    d_coef = Hyperparameter(1.0, bounds=(0, None), softbounds=(0.1, 5), step=0.1, off=1, symbol="c",
                            on_map=(0.05, 20.0, True), doc="Factor of what is found.")  # fmt: skip
    growth_rate = Hyperparameter(1e9, bounds=(1, None), softbounds=(1, 10), step=0.01, precedence=2, symbol="phi",
                                 on_map=(1.001, 100.0, True), doc="Most by which d grows in a step.")  # fmt: skip
    eps = epsilon(1e-8)
    weight_decay = pull(doc="Pull towards zero of d times lr times this, beside the step.")
    use_bias_correction = param.Boolean(False, precedence=2, doc="Make up for means that begin at zero, as Adam.")

    coupled = True
    memory = {"d": "d0", "d_max": "d0", "r": 0.0, "origin_1": "x_1", "origin_2": "x_2", **begun(s=0.0, m=0.0, v=0.0)}
    preset = {"d0": 1e-3}

    @staticmethod
    def update(h, memory, x, g, t, let, xp):
        made_up = xp.sqrt(1 - h.beta2**t) / (1 - h.beta1**t) if h.use_bias_correction else 1
        d, beta3 = memory.d, h.beta2**0.5
        pace = let("p", d * h.lr * made_up)
        weight = d / h.d0 * pace
        gone = total([a * (b - c) for a, b, c in zip(g, kept(memory, "origin"), x, strict=True)])
        r = let("r", beta3 * memory.r + weight * gone)
        m = both(let, "m", [h.beta1 * a + d * (1 - h.beta1) * b for a, b in zip(kept(memory, "m"), g, strict=True)])
        v = [h.beta2 * a + d * d * (1 - h.beta2) * b * b for a, b in zip(kept(memory, "v"), g, strict=True)]
        v = both(let, "v", v)
        s = both(let, "s", [beta3 * a + weight * b for a, b in zip(kept(memory, "s"), g, strict=True)])
        found = let("d_hat", h.d_coef * r / xp.maximum(xp.abs(s[0]) + xp.abs(s[1]), 1e-300))
        held = xp.where(xp.equal(d, h.d0), xp.maximum(d, found), d)
        most = let("d_max", xp.maximum(memory.d_max, found))
        now = let("d", xp.minimum(most, held * h.growth_rate))
        steps = [-pace * (a / (xp.sqrt(b) + now * h.eps) + h.weight_decay * p) for a, b, p in zip(m, v, x, strict=True)]
        return both(let, "step", steps)


class SophiaH(Rule):
    """Divide by the curvature along each axis, and cut what is left (arXiv 2305.14342).

    pytorch-optimizer's form with the Hessian's exact diagonal in place of random probes of it.
    """

    lr = rate(0.06)
    beta1 = first_beta(0.96)
    beta2 = second_beta(0.99, doc="Decay rate of the curvature's running mean.")
    rho = Hyperparameter(0.01, bounds=(0, None), softbounds=(0, 2), step=0.01, symbol="rho", label="ρ",
                         on_map=(1e-3, 10.0, True), doc="Where the step is cut, before lr scales it.")  # fmt: skip
    every = every("Steps from one look at the curvature to the next.")
    eps = epsilon(1e-12)
    weight_decay = pull(doc=BESIDE)

    curvature = True
    memory = {"m": 0.0, "h": 0.0}
    preset = {"lr": 0.1, "rho": 1.0, "every": 1.0}

    @staticmethod
    def update(h, memory, x, g, t, let, xp):
        m = let("m", h.beta1 * memory.m + (1 - h.beta1) * g)
        mean = h.beta2 * memory.h + (1 - h.beta2) * memory.H
        bend = let("h", xp.where(xp.equal((t - 1) % h.every, 0), mean, memory.h))
        u = let("u", m / xp.maximum(bend, h.eps))
        return let("step", -h.lr * (xp.clip(u, -h.rho, h.rho) + h.weight_decay * x))
