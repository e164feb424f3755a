"""Rules for matrices of two rows and columns: by entries, by the matrix of squares, or every direction alike.

Each takes a gradient, what it carries from step to step, the step's number from 1 on and its knobs, and gives the step
to add. They are those of torch (Adam, Muon) and of pytorch-optimizer (Shampoo, SOAP,
https://github.com/kozistr/pytorch_optimizer), Muon's polynomial in full precision where torch rounds to bfloat16.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from .matrices import QUINTIC, Matrix, plus, product, quintic, times, transposed

ROUNDS = 5  # of Muon's polynomial
QUINTIC_BAND = (0.68, 1.14)  # where five rounds of it bring singular values that are not tiny
MU, BETAS, EPS = 0.95, (0.9, 0.999), 1e-8  # torch's defaults
SOAP_BETA, SHAMPOO_EPS = 0.95, 1e-6  # pytorch-optimizer's
Memory = dict[str, Any]


def gradient_descent(G: Matrix, memory: Memory, t: int, knobs: Mapping[str, float]) -> Matrix:
    """A step along the gradient."""
    return times(-knobs["lr"], G)


def adam(G: Matrix, memory: Memory, t: int, knobs: Mapping[str, float]) -> Matrix:
    """Adam: every entry by its own running size."""
    first, second = BETAS
    memory["m"] = m = mean(memory, "m", first, G)
    memory["v"] = v = mean(memory, "v", second, squares(G))
    up, down = 1 - first**t, 1 - second**t
    return [
        [-knobs["lr"] * (a / up) / (math.sqrt(b / down) + EPS) for a, b in zip(*rows, strict=True)]
        for rows in zip(m, v, strict=True)
    ]


def muon(G: Matrix, memory: Memory, t: int, knobs: Mapping[str, float]) -> Matrix:
    """Muon: Nesterov's momentum, then a polynomial that takes its singular values close to 1."""
    return times(-knobs["lr"], orthogonalized(normalized(ahead(G, memory)), int(knobs["rounds"])))


def polar(G: Matrix, memory: Memory, t: int, knobs: Mapping[str, float]) -> Matrix:
    """Muon with all singular values exactly 1: the polar factor."""
    return times(-knobs["lr"], polar_factor(normalized(ahead(G, memory))))


def shampoo(G: Matrix, memory: Memory, t: int, knobs: Mapping[str, float]) -> Matrix:
    """Shampoo: the gradient between the inverse fourth roots of its sums of squares, by rows and by columns."""
    for name, square in (("L", product(G, transposed(G))), ("R", product(transposed(G), G))):
        before = memory.get(name, [[SHAMPOO_EPS, 0.0], [0.0, SHAMPOO_EPS]])
        memory[name] = plus(before, square)
    return times(-knobs["lr"], product(product(fourth(memory["L"]), G), fourth(memory["R"])))


def soap(G: Matrix, memory: Memory, t: int, knobs: Mapping[str, float]) -> Matrix:
    """SOAP: Adam in the axes of Shampoo's matrices, found anew after every step; the first step only looks."""
    sides = {"L": product(G, transposed(G)), "R": product(transposed(G), G)}
    if t == 1:
        for name in ("L", "R"):
            memory[name] = times(1 - SOAP_BETA, sides[name])
            memory[f"Q_{name}"] = axes(memory[name])
        return times(0.0, G)
    left, right = memory["Q_L"], memory["Q_R"]
    seen = product(product(transposed(left), G), right)
    memory["m"] = mean(memory, "m", SOAP_BETA, G)
    memory["v"] = mean(memory, "v", SOAP_BETA, squares(seen))
    inside = product(product(transposed(left), memory["m"]), right)
    ratio = [
        [a / (math.sqrt(b) + EPS) for a, b in zip(*rows, strict=True)] for rows in zip(inside, memory["v"], strict=True)
    ]
    k = t - 1
    pace = knobs["lr"] * math.sqrt(1 - SOAP_BETA**k) / (1 - SOAP_BETA**k)
    step = times(-pace, product(product(left, ratio), transposed(right)))
    for name in ("L", "R"):
        memory[name] = plus(times(SOAP_BETA, memory[name]), times(1 - SOAP_BETA, sides[name]))
    left, rows = power_round(memory["L"], left)
    right, columns = power_round(memory["R"], right)
    memory["Q_L"] = left
    memory["Q_R"] = right
    v = memory["v"][::-1] if rows else memory["v"]
    memory["v"] = [row[::-1] for row in v] if columns else v
    return step


# what they are made of


def mean(memory: Memory, name: str, beta: float, values: Matrix) -> Matrix:
    """A running mean, from 0 on."""
    before = memory[name] if name in memory else times(0.0, values)
    return plus(times(beta, before), times(1 - beta, values))


def squares(A: Matrix) -> Matrix:
    """Every entry squared."""
    return [[a * a for a in row] for row in A]


def ahead(G: Matrix, memory: Memory) -> Matrix:
    """Nesterov's momentum as Muon has it: the newest gradient mixed in once more."""
    memory["B"] = mean(memory, "B", MU, G)
    return plus(times(1 - MU, G), times(MU, memory["B"]))


def normalized(A: Matrix) -> Matrix:
    """A over its Frobenius norm, so that no singular value is above 1."""
    return times(1 / max(math.sqrt(sum([a * a for row in A for a in row])), 1e-7), A)


def orthogonalized(A: Matrix, rounds: int) -> Matrix:
    """Muon's polynomial, so many rounds of it."""
    for _ in range(rounds):
        A = quintic(A)
    return A


def rounds_on(s: Any, rounds: int) -> Any:
    """What so many rounds of the polynomial make of singular values."""
    a, b, c = QUINTIC
    for _ in range(rounds):
        s = s * (a + b * s * s + c * s * s * s * s)
    return s


def determinant(A: Matrix) -> float:
    """The determinant."""
    return A[0][0] * A[1][1] - A[0][1] * A[1][0]


def singular_values(A: Matrix) -> tuple[float, float]:
    """The larger and the smaller one, of their sum and difference."""
    size, twice = sum([a * a for row in A for a in row]), 2 * abs(determinant(A))
    both, apart = math.sqrt(size + twice), math.sqrt(max(size - twice, 0.0))
    return (both + apart) / 2, (both - apart) / 2


def polar_factor(A: Matrix) -> Matrix:
    """U V^T of the singular value decomposition U S V^T: A and its cofactors, over the sum of singular values."""
    (a, b), (c, d) = A
    sign = -1.0 if determinant(A) < 0 else 1.0
    total = sum(singular_values(A))
    below = total if total > 0 else 1.0
    return [[(a + sign * d) / below, (b - sign * c) / below], [(c - sign * b) / below, (d + sign * a) / below]]


def inverse_root(L: Matrix) -> Matrix:
    """L^(-1/2) of a positive symmetric matrix, by Cayley and Hamilton."""
    (a, b), (_, d) = L
    root = math.sqrt(max(a * d - b * b, 0.0))
    below = root * math.sqrt(a + d + 2 * root)
    return times(1 / below if below > 0 else math.inf, [[d + root, -b], [-b, a + root]])


def fourth(L: Matrix) -> Matrix:
    """L^(-1/4) of a positive symmetric matrix: the inverse root of its root."""
    (a, b), (_, d) = L
    root = math.sqrt(max(a * d - b * b, 0.0))
    trace = math.sqrt(a + d + 2 * root)
    return inverse_root([[(a + root) / trace, b / trace], [b / trace, (d + root) / trace]])


def axes(L: Matrix) -> Matrix:
    """The eigenvectors of a symmetric matrix as columns, that of the larger eigenvalue first."""
    (a, b), (_, d) = L
    angle = 0.5 * math.atan2(2 * b, a - d)
    return [[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]]


def power_round(L: Matrix, Q: Matrix) -> tuple[Matrix, bool]:
    """One round of the power iteration: Q of the QR of L Q, and whether its columns changed places before."""
    image = product(L, Q)
    first, second = [[row[k] for row in image] for k in (0, 1)]
    sizes = [sum([q[k] * z[k] for q, z in zip(Q, image, strict=True)]) for k in (0, 1)]
    swapped = sizes[1] > sizes[0]
    longer = second if swapped else first
    size = math.sqrt(longer[0] * longer[0] + longer[1] * longer[1])
    if not size > 0:
        return Q, False
    u, v = longer[0] / size, longer[1] / size
    return [[u, -v], [v, u]], swapped


MATRIX_RULES = {
    "gradient descent": gradient_descent,
    "Adam": adam,
    "Shampoo": shampoo,
    "SOAP": soap,
    "Muon": muon,
    "polar factor": polar,
}
