"""The catalogue of surfaces, and of curves: each a formula, its domain, minima and starts.

The declarations follow the usual definitions of these test functions (Surjanovic and
Bingham, Virtual Library of Simulation Experiments; Jamil and Yang, arXiv 1308.4008).
"""

from __future__ import annotations

import math

from ..spans import Quantity
from .objective import Curve, Objective

SQUARE5 = ((-5.0, 5.0), (-5.0, 5.0))
SQUARE10 = ((-10.0, 10.0), (-10.0, 10.0))


class Quadratic(Objective):
    """A bowl 20 times steeper across than along, the surface of the seed notebook."""

    domain = ((-5.5, 3.0), (-3.0, 3.0))
    minima = ((0.0, 0.0),)
    lowest = 0.0
    starts = ((-5.0, -2.0),)
    label = "Quadratic 0.1 x² + 2 y²"

    @staticmethod
    def formula(h, x, y, xp):
        return 0.1 * x**2 + 2 * y**2


class Sphere(Objective):
    """A round bowl: every direction is as steep as any other."""

    minima = ((0.0, 0.0),)
    lowest = 0.0

    @staticmethod
    def formula(h, x, y, xp):
        return x**2 + y**2


class RotatedQuadratic(Objective):
    """An elliptic bowl of chosen condition number, turned by a chosen angle."""

    condition = Quantity(10.0, bounds=(1, 1000), softbounds=(1, 100), step=1, label="condition number",
                         symbol="kappa", on_map=(1.0, 1000.0, True),
                         doc="Steepest over flattest curvature; the flattest is 1.")  # fmt: skip
    angle = Quantity(30.0, bounds=(-180, 180), softbounds=(0, 90), step=0.5,
                     symbol="theta", on_map=(0.0, 90.0, False),
                     doc="Rotation of the bowl's axes, in degrees.")  # fmt: skip

    domain = ((-2.0, 2.0), (-2.0, 2.0))
    minima = ((0.0, 0.0),)
    lowest = 0.0
    label = "Rotated quadratic"

    @property
    def starts(self):  # type: ignore[override]
        """The start (-1, 0.5) of the upright bowl, turned along with it."""
        c, s = math.cos(math.radians(self.angle)), math.sin(math.radians(self.angle))
        return ((-c - 0.5 * s, -s + 0.5 * c),)

    @staticmethod
    def formula(h, x, y, xp):
        turn = h.angle * xp.pi / 180
        u = xp.cos(turn) * x + xp.sin(turn) * y
        v = -xp.sin(turn) * x + xp.cos(turn) * y
        return (u**2 + h.condition * v**2) / 2


class Booth(Objective):
    """A tilted bowl with its minimum off the origin."""

    domain = SQUARE10
    minima = ((1.0, 3.0),)
    lowest = 0.0
    starts = ((-8.0, 7.0),)

    @staticmethod
    def formula(h, x, y, xp):
        return (x + 2 * y - 7) ** 2 + (2 * x + y - 5) ** 2


class Matyas(Objective):
    """A long, nearly flat trough along the diagonal."""

    domain = SQUARE10
    minima = ((0.0, 0.0),)
    lowest = 0.0
    starts = ((-9.0, -8.0),)

    @staticmethod
    def formula(h, x, y, xp):
        return 0.26 * (x**2 + y**2) - 0.48 * x * y


class Rosenbrock(Objective):
    """A bent valley: easy to enter, slow to follow."""

    steepness = Quantity(100.0, bounds=(0.1, 10000), softbounds=(1, 200), step=1,
                         symbol="b", on_map=(1.0, 1000.0, True),
                         doc="Weight of the valley's walls; the usual value is 100.")  # fmt: skip

    domain = ((-2.0, 2.0), (-1.0, 3.0))
    minima = ((1.0, 1.0),)
    lowest = 0.0
    starts = ((-1.2, 1.0), (-2.0, 2.0))

    @staticmethod
    def formula(h, x, y, xp):
        return (1 - x) ** 2 + h.steepness * (y - x**2) ** 2


class Beale(Objective):
    """Flat plains, sharp ridges, one minimum at the end of a valley."""

    domain = ((-4.5, 4.5), (-4.5, 4.5))
    minima = ((3.0, 0.5),)
    lowest = 0.0
    starts = ((1.0, 1.0), (2.0, 1.7), (3.0, 4.0))

    @staticmethod
    def formula(h, x, y, xp):
        return (
            (1.5 - x + x * y) ** 2 + (2.25 - x + x * y**2) ** 2 + (2.625 - x + x * y**3) ** 2
        )  # fmt: skip


class Himmelblau(Objective):
    """Four equal minima: which one is reached depends on the start and the rule."""

    domain = SQUARE5
    minima = (
        (3.0, 2.0),
        (-2.805118086952745, 3.131312518250573),
        (-3.779310253377747, -3.283185991286170),
        (3.584428340330492, -1.848126526964404),
    )
    lowest = 0.0
    starts = ((0.0, 0.0), (-6.0, 0.0))

    @staticmethod
    def formula(h, x, y, xp):
        return (x**2 + y - 11) ** 2 + (x + y**2 - 7) ** 2


class Rastrigin(Objective):
    """A bowl covered with regular dents, each a local minimum."""

    amplitude = Quantity(10.0, bounds=(0, 100), softbounds=(0, 20), step=0.5, symbol="A",
                         doc="Depth of the dents; the usual value is 10.")  # fmt: skip

    domain = ((-5.12, 5.12), (-5.12, 5.12))
    minima = ((0.0, 0.0),)
    lowest = 0.0
    starts = ((-2.0, 3.5),)

    @staticmethod
    def formula(h, x, y, xp):
        waves = xp.cos(2 * xp.pi * x) + xp.cos(2 * xp.pi * y)
        return 2 * h.amplitude + x**2 + y**2 - h.amplitude * waves


class Ackley(Objective):
    """A dented plain with one deep hole, at whose bottom there is no gradient."""

    domain = SQUARE5
    minima = ((0.0, 0.0),)
    lowest = 0.0
    starts = ((-3.0, 2.5),)

    @staticmethod
    def formula(h, x, y, xp):
        radius = xp.sqrt((x**2 + y**2) / 2)
        waves = (xp.cos(2 * xp.pi * x) + xp.cos(2 * xp.pi * y)) / 2
        return -20 * xp.exp(-0.2 * radius) - xp.exp(waves) + xp.exp(1) + 20


class ThreeHumpCamel(Objective):
    """Three dents in a row, the middle one the deepest."""

    domain = SQUARE5
    minima = ((0.0, 0.0),)
    lowest = 0.0
    starts = ((-2.0, 1.5),)
    label = "Three-hump camel"

    @staticmethod
    def formula(h, x, y, xp):
        return 2 * x**2 - 1.05 * x**4 + x**6 / 6 + x * y + y**2


class SixHumpCamel(Objective):
    """Six dents, two of them the deepest, mirror images of each other."""

    domain = ((-3.0, 3.0), (-2.0, 2.0))
    minima = ((0.08984201368301331, -0.7126564032704135), (-0.08984201368301331, 0.7126564032704135))
    lowest = -1.031628453489877
    starts = ((1.3, -1.5),)
    label = "Six-hump camel"

    @staticmethod
    def formula(h, x, y, xp):
        return (4 - 2.1 * x**2 + x**4 / 3) * x**2 + x * y + (-4 + 4 * y**2) * y**2


class StyblinskiTang(Objective):
    """Four dents, the deepest in the lower left."""

    domain = SQUARE5
    minima = ((-2.903534027771177, -2.903534027771177),)
    lowest = -78.33233140754285
    starts = ((4.0, 4.0),)
    label = "Styblinski-Tang"

    @staticmethod
    def formula(h, x, y, xp):
        return (x**4 - 16 * x**2 + 5 * x + y**4 - 16 * y**2 + 5 * y) / 2


class McCormick(Objective):
    """A wavy slope with one dent."""

    domain = ((-1.5, 4.0), (-3.0, 4.0))
    minima = ((-0.5471975511965976, -1.5471975511965976),)
    lowest = -1.9132229549810367
    starts = ((3.0, -1.0),)

    @staticmethod
    def formula(h, x, y, xp):
        return xp.sin(x + y) + (x - y) ** 2 - 1.5 * x + 2.5 * y + 1


class GoldsteinPrice(Objective):
    """Values over six decades and four dents, one the deepest."""

    domain = ((-2.0, 2.0), (-2.0, 2.0))
    minima = ((0.0, -1.0),)
    lowest = 3.0
    starts = ((-1.5, 1.0),)
    label = "Goldstein-Price"

    @staticmethod
    def formula(h, x, y, xp):
        near = 19 - 14 * x + 3 * x**2 - 14 * y + 6 * x * y + 3 * y**2
        far = 18 - 32 * x + 12 * x**2 + 48 * y - 36 * x * y + 27 * y**2
        return (1 + (x + y + 1) ** 2 * near) * (30 + (2 * x - 3 * y) ** 2 * far)


class Branin(Objective):
    """Three equal minima on a wavy slope."""

    domain = ((-5.0, 10.0), (0.0, 15.0))
    minima = (
        (-math.pi, 12.275),
        (math.pi, 2.275),
        (3 * math.pi, 2.475),
    )
    lowest = 0.39788735772973816
    starts = ((2.0, 10.0),)

    @staticmethod
    def formula(h, x, y, xp):
        bend = y - 5.1 * x**2 / (4 * xp.pi**2) + 5 * x / xp.pi - 6
        return bend**2 + 10 * (1 - 1 / (8 * xp.pi)) * xp.cos(x) + 10


class BoundedSaddle(Objective):
    """A saddle whose falling side turns up again: two minima, one pass between."""

    domain = ((-2.0, 2.0), (-2.0, 2.0))
    minima = ((0.0, math.sqrt(2)), (0.0, -math.sqrt(2)))
    lowest = -1.0
    starts = ((1.5, 0.001),)
    label = "Bounded saddle"

    @staticmethod
    def formula(h, x, y, xp):
        return x**2 - y**2 + y**4 / 4


class MonkeySaddle(Objective):
    """Three valleys that fall without end from one flat pass: there is no minimum."""

    domain = ((-2.0, 2.0), (-2.0, 2.0))
    starts = ((0.5, 0.1),)
    label = "Monkey saddle"

    @staticmethod
    def formula(h, x, y, xp):
        return x**3 - 3 * x * y**2


class TanhNet(Objective):
    """The smallest two-layer tanh net, x tanh(y u), fitted to 1.5 tanh(2 u) at u = 0.5, 1, 2."""

    domain = ((-4.0, 4.0), (-4.0, 4.0))
    minima = ((1.5, 2.0), (-1.5, -2.0))
    lowest = 0.0
    starts = ((0.5, 1.0),)
    label = "Two-layer tanh net"
    source = "The setting of arXiv 2402.06184, with two weights"

    @staticmethod
    def formula(h, x, y, xp):
        samples = ((u, 1.5 * math.tanh(2 * u)) for u in (0.5, 1.0, 2.0))
        return sum((x * xp.tanh(y * u) - target) ** 2 for u, target in samples) / 3


class Valley(Objective):
    """A valley whose walls grow steeper along it, as a loss whose sharpness grows while it falls."""

    s0 = Quantity(39.8, bounds=(0.1, 1000), softbounds=(1, 60), step=0.1, label="s₀: curvature at y = 0", symbol="s_0",
                  on_map=(1.0, 100.0, True), doc="Curvature across the valley where y is 0: it is s₀ + y.")  # fmt: skip
    c = Quantity(0.05, bounds=(0, 10), softbounds=(0, 0.2), step=0.001, label="c: slope along", symbol="c",
                 on_map=(1e-4, 0.1, True), doc="How steeply the valley falls along y.")  # fmt: skip

    domain = ((-0.8, 0.8), (-0.5, 0.9))
    starts = ((0.2, 0.0),)
    usual_steps = 1000
    at_edge = True
    source = "The setting of arXiv 2410.24206, with two variables"

    @staticmethod
    def formula(h, x, y, xp):
        return (h.s0 + y) * x**2 / 2 - h.c * y


class Parabola(Curve):
    """The bowl of every textbook, of one variable: a step overshoots above rate 0.5, and leaves above 1."""

    minima = ((0.0, 0.0),)
    lowest = 0.0
    starts = ((-2.5, 0.0),)
    label = "Curve x²"

    @staticmethod
    def height(h, x, xp):
        return x**2


class CosineCurve(Curve):
    """Two dents of one variable, the deeper one behind a hill."""

    span = (-1.0, 2.0)
    minima = ((1.0904082219467213, 0.0),)
    lowest = -1.0467211246605712
    starts = ((-0.9, 0.0),)
    label = "Curve x cos πx"

    @staticmethod
    def height(h, x, xp):
        return x * xp.cos(xp.pi * x)


class ThreeSlopes(Curve):
    """Strongly convex, its slope in three straight pieces: steep, flat, steep. A heavy ball may go round for ever."""

    span = (-3.0, 4.0)
    minima = ((0.0, 0.0),)
    lowest = 0.0
    starts = ((3.3, 0.0),)
    label = "Curve of three slopes"
    source = "Lessard, Recht and Packard, section 4.6, arXiv 1408.3595"

    @staticmethod
    def height(h, x, xp):
        return xp.where(x < 1, 12.5 * x**2, xp.where(x < 2, x**2 / 2 + 24 * x - 12, 12.5 * x**2 - 24 * x + 36))
