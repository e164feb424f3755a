"""What a page's player needs of Python: the steps of runs, and arrows for what they are made of."""

from __future__ import annotations

import inspect

from ..pictures.playheads import INKS, arrow_columns, arrow_scale
from ..runs.steps import last_step, letters_at, parts_of
from ..state.subject import Subject
from .bundle import Bundle

FUNCTIONS = (letters_at, parts_of, last_step, arrow_columns, arrow_scale)


def player(experiment: Subject, bundle: Bundle) -> str:
    """What the runtime's player is made with, null where there is nothing to be played."""
    kind = type(experiment)
    if inspect.getattr_static(kind, "played") is inspect.getattr_static(kind.foundation, "played"):
        return "null"
    functions = ", ".join(f"{f.__name__}: {bundle.text(f)}" for f in FUNCTIONS)
    return f"{{ {functions}, inks: {bundle.text(INKS)} }}"
