"""Numbers that say how they are shown: on a slider by factors, in a formula, along an axis of a map."""

from __future__ import annotations

from typing import Any

import param


class Spanned(param.Number):
    """A number with the `span` that a slider by factors covers, from its lowest value above 0 to its highest.

    Without a span it is a plain `param.Number`. What it accepts is a matter of its bounds alone.
    """

    __slots__ = ["span"]

    def __init__(self, default: Any = 0.0, *, span: tuple[float, float] | None = None, **settings: Any):
        self.span = span
        super().__init__(default, **settings)


class Quantity(Spanned):
    """A number of a rule or a surface, with all that is to be known of it where it is shown.

    `symbol` stands for it in formulas, "beta_1" for example; `on_map` is the axis of a map that it has, (lowest
    value, highest value, whether a log axis at first). Without one it has those that optviz gives its name, "lr" say;
    a name has one axis, that of the first rule or surface of the menus which declares it.
    """

    __slots__ = ["symbol", "on_map"]

    def __init__(
        self, default: Any = 0.0, *, symbol: str = "", on_map: tuple[float, float, bool] | None = None, **settings: Any
    ):
        self.symbol, self.on_map = symbol, on_map
        super().__init__(default, **settings)


RATES = (1e-6, 10.0)  # of learning rates: a steep surface needs 0.000002, and a flat one diverges only above 1
