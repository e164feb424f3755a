"""Small matrices as nested lists, in arithmetic that can be traced: what matrix rules do, of two rows in closed form.

A vector of two is the matrix of one row `[[u, v]]`, or of one column; the same functions take either.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

Matrix = list[list[Any]]
QUINTIC = (3.4445, -4.7750, 2.0315)  # of Muon's iteration (Jordan 2024)


def product(A: Matrix, B: Matrix) -> Matrix:
    """A times B."""
    return [[total([a * row[k] for a, row in zip(line, B, strict=True)]) for k in range(len(B[0]))] for line in A]


def transposed(A: Matrix) -> Matrix:
    """A with its rows as columns."""
    return [list(column) for column in zip(*A, strict=True)]


def plus(A: Matrix, B: Matrix) -> Matrix:
    """A and B, entry by entry."""
    return [[a + b for a, b in zip(*rows, strict=True)] for rows in zip(A, B, strict=True)]


def times(c: Any, A: Matrix) -> Matrix:
    """A, each entry times a number."""
    return [[c * a for a in row] for row in A]


def total(values: Sequence[Any]) -> Any:
    """The sum, in the order of the values."""
    found = values[0]
    for value in values[1:]:
        found = found + value
    return found


def length(values: Sequence[Any], xp: Any) -> Any:
    """The root of the sum of squares: of a matrix, its Frobenius norm where `values` are its entries."""
    return xp.sqrt(total([v * v for v in values]))


def quintic(X: Matrix) -> Matrix:
    """One step of Muon's Newton-Schulz iteration: every singular value s becomes a s + b s^3 + c s^5."""
    a, b, c = QUINTIC
    if len(X) > len(X[0]):
        return transposed(quintic(transposed(X)))
    A = product(X, transposed(X))
    return plus(times(a, X), product(plus(times(b, A), times(c, product(A, A))), X))


# A positive symmetric matrix L of two rows as its factor R = (r11, r21, r22), L = R R^T (Cholesky): of squares that are
# added up one by one, L itself would be singular to a computer where gradients are large.


def added(R: Sequence[Any], v: Sequence[Any], xp: Any) -> list[Any]:
    """The factor of L + v v^T, by a turn."""
    r11, r21, r22 = R
    size = xp.sqrt(r11 * r11 + v[0] * v[0])
    c, s = r11 / xp.maximum(size, 1e-300), v[0] / xp.maximum(size, 1e-300)
    left = c * v[1] - s * r21
    return [size, c * r21 + s * v[1], xp.sqrt(r22 * r22 + left * left)]


def symmetric(R: Sequence[Any]) -> list[Any]:
    """The entries of L: above left, beside, below right."""
    return [R[0] * R[0], R[0] * R[1], R[1] * R[1] + R[2] * R[2]]


def inverse_root(R: Sequence[Any], xp: Any, named: Any = lambda name, value: value) -> Matrix:
    """L^(-1/2), by Cayley and Hamilton; of `root`, that is L^(-1/4).

    `named` names what it is worked out from: L's entries, s, the root of its determinant, and tau, the root's trace.
    """
    a, b, d = (named(name, entry) for name, entry in zip(("L_11", "L_12", "L_22"), symmetric(R), strict=True))
    s = named("s", R[0] * R[2])
    below = s * named("tau", xp.sqrt(a + d + 2 * s))
    return [[(d + s) / below, -b / below], [-b / below, (a + s) / below]]


def root(R: Sequence[Any], xp: Any) -> list[Any]:
    """The factor of L^(1/2)."""
    a, b, d = symmetric(R)
    s = R[0] * R[2]
    trace = xp.sqrt(a + d + 2 * s)
    first = xp.sqrt((a + s) / trace)
    return [first, b / trace / first, xp.sqrt(s) / first]


def turned(q: Sequence[Any], v: Sequence[Any]) -> Sequence[Any]:
    """Q v, where Q is the turn whose first column is the unit vector q."""
    return [q[0] * v[0] - q[1] * v[1], q[1] * v[0] + q[0] * v[1]]


def turned_back(q: Sequence[Any], v: Sequence[Any]) -> Sequence[Any]:
    """Q^T v."""
    return [q[0] * v[0] + q[1] * v[1], q[0] * v[1] - q[1] * v[0]]


def power_step(
    L: Matrix, q: Sequence[Any], xp: Any, named: Any = lambda name, value: value
) -> tuple[Sequence[Any], Any]:
    """One round of the power iteration on a turn: Q of the QR of L Q, with L's larger direction first.

    Gives the new first column, and whether the columns changed places: what is kept of each has to as well.
    `named` names the size along each column, y, the longer one's image, z, its length l, and the new column, e. A
    column that L takes to 0 stays; of a matrix v v^T one round is enough.
    """
    (a, b), (_, d) = L
    q1, q2 = q
    image, other = [a * q1 + b * q2, b * q1 + d * q2], [b * q1 - a * q2, d * q1 - b * q2]
    size, width = named("y_1", q1 * image[0] + q2 * image[1]), named("y_2", q1 * other[1] - q2 * other[0])
    swap = width > size
    longer = [named(f"z_{i}", xp.where(swap, b, a)) for i, (a, b) in enumerate(zip(image, other, strict=True), 1)]
    size = named("l", length(longer, xp))
    unit = [xp.where(size > 0, a / xp.maximum(size, 1e-300), b) for a, b in zip(longer, q, strict=True)]
    return [named(f"e_{i}", a) for i, a in enumerate(unit, 1)], swap
