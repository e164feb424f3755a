"""What a page needs to read formulas that are typed into it: Python's own functions, printed."""

from __future__ import annotations

from ..objectives.first_picture import USUAL, curve_start, start_in, window_of
from ..objectives.formula import EXAMPLE, HIGH, LOW, OWN, ends_of, refusal
from ..objectives.objective import IDLE
from ..readings.formula_mathml import formula_mathml
from ..readings.mathml import symbol_mathml
from ..trace.formula_nodes import needed, program
from ..trace.formula_text import parsed
from ..trace.formula_tokens import LETTERS
from ..trace.functions import ROWS
from ..trace.tape import SIGNS
from .bundle import Bundle
from .store import script_json


def formulas(bundle: Bundle) -> str:
    """The JavaScript of the class of typed surfaces."""
    shared = {"parsed": parsed, "program": program, "needed": needed, "mathml": formula_mathml, "refusal": refusal,
              "window_of": window_of, "start_in": start_in,
              "curve_start": curve_start}  # fmt: skip
    scripts = {**{op: f"{{0}} {sign} {{1}}" for op, sign in SIGNS.items()}, "negative": "-{0}",
               "where": "{0} ? {1} : {2}", **{op: row.script for op, row in ROWS.items()}}  # fmt: skip
    about = {
        "label": OWN, "example": EXAMPLE, "low": LOW, "high": HIGH, "usual": USUAL, "idle": IDLE, "scripts": scripts,
        "symbols": {letter: symbol_mathml(letter) for letter in LETTERS},
        "letters": [name for letter in LETTERS for name in (letter, *ends_of(letter))],
    }  # fmt: skip
    functions = ", ".join(f"{name}: {bundle.text(function)}" for name, function in shared.items())
    return f"$.kinds.formula({{...{script_json(about)}, {functions}}})"
