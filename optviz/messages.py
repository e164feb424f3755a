"""One clear sentence for bad input: who refuses, the rule, what was got, the fix."""

from __future__ import annotations

from typing import Any, NoReturn

import numpy as np


def refuse(who: str, rule: str, got: Any, fix: str = "", error: type[Exception] = ValueError) -> NoReturn:
    """Raise `error` with one sentence: `who rule, not got; fix.`"""
    raise error(f"{who} {rule}, not {shown(got)}" + (f"; {fix}." if fix else "."))


def shown(value: Any, limit: int = 60) -> str:
    """A value in few words: an array by its shape, anything long cut short."""
    if isinstance(value, np.ndarray) and value.size > 4:
        return f"an array of shape {value.shape}"
    text = repr(value.tolist() if isinstance(value, np.ndarray | np.generic) else value)
    text = " ".join(text.split())  # some torch objects describe themselves in lines
    return text if len(text) <= limit else text[: limit - 3] + "..."
