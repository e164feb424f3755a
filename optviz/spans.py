"""Numbers that range over decades: what a slider by factors covers is said where the number is declared."""

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


RATES = (1e-6, 10.0)  # of learning rates: a steep surface needs 0.000002, and a flat one diverges only above 1
