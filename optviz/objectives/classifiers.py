"""Lines between two classes: losses of samples with two features and a class, 0 or 1."""

from __future__ import annotations

from typing import Any

import numpy as np
import param

from ..messages import refuse
from .criteria import MARGINS
from .losses import DataLoss, checked_data, traced_sample


class LinearClassifier(DataLoss):
    """The mean loss of margins s (w1 x + w2 y + bias), s = 1 for samples of class 1 and -1 for those of class 0."""

    loss = param.Selector(default="logistic", objects=list(MARGINS), doc="The loss of one sample's margin.")
    bias = param.Number(0.0, doc="What is added to both features' shares.")

    columns = ("x", "y", "side")
    domain = ((-8.0, 8.0), (-8.0, 8.0))
    starts = ((-6.0, -3.0),)
    names = ("w1", "w2")

    def __init__(self, x: Any, y: Any, classes: Any, **settings):
        super().__init__(x, y, **settings)
        who = type(self).__name__
        _, given = checked_data(who, self.x, classes)
        if not np.isin(given, (0.0, 1.0)).all():
            refuse(who, "needs classes 0 and 1", sorted(set(given.tolist()))[:4])
        self.side = 2 * given - 1

    def given(self) -> list[np.ndarray]:
        return [self.x, self.y, (self.side + 1) / 2]

    @classmethod
    def shape_names(cls) -> list[str]:
        return ["bias"]

    def criterion(self) -> str:
        return self.loss

    @property
    def traced(self):  # type: ignore[override]  # the loss may change
        return traced_sample(type(self), self.loss)

    @staticmethod
    def sample(h, w1, w2, x, y, side, xp):
        return MARGINS[h.criterion].formula(side * (w1 * x + w2 * y + h.bias), xp)


class BiasedClassifier(LinearClassifier):
    """The same with a bias that is fitted: a third parameter."""

    bias = param.Number(0.0, precedence=-1, doc="Where runs begin.")

    names = ("w1", "w2", "bias")
    domain = ((-8.0, 8.0), (-8.0, 8.0), (-8.0, 8.0))
    starts = ((-6.0, -3.0, 0.0),)

    @classmethod
    def shape_names(cls) -> list[str]:
        return []

    @staticmethod
    def sample(h, w1, w2, bias, x, y, side, xp):
        return MARGINS[h.criterion].formula(side * (w1 * x + w2 * y + bias), xp)
