"""Losses of one sample: of a residual, each one a declaration that formulas, menus and pictures read."""

from __future__ import annotations

import math
from typing import ClassVar

import numpy as np

CRITERIA: dict[str, type[Criterion]] = {}  # by name, in the order of their definitions


class Criterion:
    """What a residual costs: a subclass declares `formula(r, h, xp)`, the loss of one sample.

    `h` holds the thresholds of `LinearRegression`, and `name` is what its parameter `loss` says. `title`, `colour`
    (of `optviz.pictures.layers.INKS`, or any of CSS) and `dash` are how pictures show it, and `shown` whether they do
    before anybody asks. One of yours is among the others if it says `listed = True` (see `optviz.listed`).
    """

    name: ClassVar[str] = ""
    title: ClassVar[str] = ""
    colour: ClassVar[str] = "grey"
    dash: ClassVar[str] = "solid"
    shown: ClassVar[bool] = True
    listed: ClassVar[bool] = False

    def __init_subclass__(cls, **options):
        super().__init_subclass__(**options)
        if cls.__module__ == __name__ or vars(cls).get("listed"):
            CRITERIA[cls.name] = cls

    @staticmethod
    def formula(r, h, xp):
        """The loss of a residual r, with operators and the functions of `xp`."""
        raise NotImplementedError

    @classmethod
    def thresholds(cls) -> list[str]:
        """Which parameters of `LinearRegression` the loss hangs on."""
        asked = _Asked()
        cls.formula(0.5, asked, np)
        return sorted(asked.names)


class _Asked:
    """Gives 1 for every threshold, and knows which have been asked for."""

    def __init__(self):
        self.names: set[str] = set()

    def __getattr__(self, name: str) -> float:
        self.names.add(name)
        return 1.0


class MSE(Criterion):
    """Squared residual (torch.nn.MSELoss)."""

    name = "mse"
    title = "MSE"
    colour = "blue"
    dash = "dotdash"

    @staticmethod
    def formula(r, h, xp):
        return r**2


class L1(Criterion):
    """Absolute residual, with subgradient 0 at 0 (torch.nn.L1Loss)."""

    name = "l1"
    title = "L1"
    colour = "orange"
    dash = "dotted"

    @staticmethod
    def formula(r, h, xp):
        return xp.abs(r)


class Huber(Criterion):
    """Squared near zero, linear beyond delta (torch.nn.HuberLoss)."""

    name = "huber"
    title = "Huber"
    colour = "teal"

    @staticmethod
    def formula(r, h, xp):
        near = r**2 / 2
        far = h.delta * (xp.abs(r) - h.delta / 2)
        return xp.where(xp.abs(r) <= h.delta, near, far)


class SmoothL1(Criterion):
    """Huber's loss divided by its threshold beta (torch.nn.SmoothL1Loss)."""

    name = "smooth_l1"
    title = "Smooth L1"
    colour = "plum"
    dash = "dashed"  # it covers Huber at threshold 1

    @staticmethod
    def formula(r, h, xp):
        near = r**2 / (2 * h.beta)
        far = xp.abs(r) - h.beta / 2
        return xp.where(xp.abs(r) < h.beta, near, far)


class LogCosh(Criterion):
    """Huber's loss without a seam: squared near zero, linear far from it."""

    name = "log_cosh"
    title = "Log-cosh"
    colour = "purple"
    dash = "dashdot"
    shown = False

    @staticmethod
    def formula(r, h, xp):
        return xp.logaddexp(r, -r) - math.log(2)


class Quantile(Criterion):
    """The pinball loss, whose best line has a share tau of the points below it."""

    name = "quantile"
    title = "Quantile"
    colour = "rust"
    dash = "dotdash"
    shown = False

    @staticmethod
    def formula(r, h, xp):
        return xp.abs(r) / 2 + (0.5 - h.tau) * r


MARGINS: dict[str, type[MarginLoss]] = {}  # by name, in the order of their definitions


class MarginLoss:
    """What a sample of two classes costs: `formula(m, xp)` of its margin m, above 0 where it is on its own side.

    `title`, `colour` and `dash` are as of a `Criterion`.
    """

    name: ClassVar[str] = ""
    title: ClassVar[str] = ""
    colour: ClassVar[str] = "grey"
    dash: ClassVar[str] = "solid"

    def __init_subclass__(cls, **options):
        super().__init_subclass__(**options)
        MARGINS[cls.name] = cls

    @staticmethod
    def formula(m, xp):
        """The loss of a margin m, with operators and the functions of `xp`."""
        raise NotImplementedError


class LogisticLoss(MarginLoss):
    """Minus the log of the class's probability (torch.nn.BCEWithLogitsLoss)."""

    name = "logistic"
    title = "Logistic"
    colour = "purple"

    @staticmethod
    def formula(m, xp):
        return xp.logaddexp(0, -m)


class HingeLoss(MarginLoss):
    """Nothing beyond a margin of 1, linear below (a support vector machine's loss)."""

    name = "hinge"
    title = "Hinge"
    colour = "orange"
    dash = "dashed"

    @staticmethod
    def formula(m, xp):
        return xp.maximum(1 - m, 0)
