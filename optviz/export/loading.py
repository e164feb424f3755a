"""What a page needs of Python to take points from a file, and to hand them out."""

from __future__ import annotations

from ..objectives.delimited import (
    LONGEST_TEXT,
    bad_rows,
    classes_in,
    delimited,
    marks_of,
    numeric,
    problem_of,
    read_table,
    values_of,
)
from ..objectives.samples import MOST, Samples, label_of, text_of
from ..state.subject import Subject
from .bundle import Bundle
from .printer import quoted

FUNCTIONS = (read_table, numeric, problem_of, bad_rows, values_of, classes_in, marks_of, delimited, text_of, label_of)


def loading(experiment: Subject, bundle: Bundle) -> str:
    """What the runtime's loader is made with, null where an experiment takes no data."""
    if "data" not in experiment.param or not isinstance(experiment.param["data"], Samples):
        return "null"
    functions = ", ".join(f"{f.__name__}: {bundle.text(f)}" for f in FUNCTIONS)
    width = experiment.param["data"].width
    return (
        f"{{ {functions}, width: {width}, most: {MOST}, longest: {LONGEST_TEXT}, example: {quoted(EXAMPLES[width])} }}"
    )


EXAMPLES = {2: "year,price\n1990,12.5\n1991,14", 3: "length,width,kind\n5.1,3.5,setosa\n6.3,2.9,virginica"}
