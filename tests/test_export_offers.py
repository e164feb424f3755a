"""What the runtime offers to printed methods: all of it is asked for, and the rest is refused with a sentence."""

from __future__ import annotations

import ast
import math
import re

import numpy as np
import pytest
from engine import run_js

from optviz.catalogue import experiments
from optviz.export import page
from optviz.export.bundle import Bundle
from optviz.export.printer import OPERATORS
from optviz.export.refusals import Untranslatable
from optviz.export.remote import remote_script
from optviz.runtime.modules import ENTRIES, EXPORT, IMPORT, exports, order, script, source
from optviz.runtime.offers import METHODS, TABLES, methods, offered

MODULES = order((*ENTRIES, "remote.js"))


def asked(table: str, export_all) -> set[str]:
    """The names of a table that some page asks for."""
    text = "\n".join(export_all.programs)
    if table == "isinstance":
        types = re.findall(r"\$\.isinstance\([^[\]]*(\[[^]]*\])", text)
        return {name for each in types for name in ast.literal_eval(each)}
    short = {"Python": "py", "numpy": "np", "numpy.random": r"np\.random", "operators": "op"}.get(table, table)
    return export_all.calls if table in METHODS else set(re.findall(rf"\$\.{short}\.(\w+)", text))


@pytest.mark.parametrize("table", TABLES)
def test_every_name_is_asked_for_by_a_page(table, export_all):
    assert len(export_all.programs) == len(experiments()) + 1  # the index has one too
    assert not set(offered(table)) - asked(table, export_all)


def test_the_tables_are_those_that_run():
    texts = [f"Object.keys({'METHODS.' if table in METHODS else ''}{_named(table)})" for table in TABLES]
    assert [sorted(names) for names in run_js(f"return [{', '.join(texts)}];")] == [[*offered(t)] for t in TABLES]
    assert set(OPERATORS.values()) == set(offered("operators"))
    assert "extend" not in methods() and {"rates", "standard_normal", "remember"} <= methods()


def _named(table: str) -> str:
    return {"text": "strings"}.get(table, table) if table in METHODS else TABLES[table][1]


def test_what_a_page_asks_of_the_runtime_by_name_is_there(export_all):
    asks, has = set(re.findall(r"\$\.(\w+)", "\n".join(export_all.programs))), set(run_js("return Object.keys($);"))
    assert asks == has


def test_what_a_module_exports_another_imports_or_a_page_uses(export_all):
    imported = {name.strip() for m in MODULES for names, _ in IMPORT.findall(source(m)) for name in names.split(",")}
    pages = "\n".join([page._PROGRAM, remote_script().splitlines()[-2], *export_all.programs])
    spare = {name for m in MODULES for name in exports(m) if name not in imported and not _stands(name, pages)}
    assert spare == TESTED | CARRIED


TESTED = {"METHODS", "plainly", "ENDS"}  # tests look at each way of walking, at the methods by kind, at draws
CARRIED = {"Store", "StoredMember"}  # of pages with runs that Python made (tests/test_export_stored.py)


def _stands(name: str, text: str) -> bool:
    return re.search(rf"(?<![\w.$]){re.escape(name)}(?![\w$])", text) is not None


def test_a_module_stands_after_those_that_it_imports_from():
    for place, name in enumerate(MODULES):
        for names, other in IMPORT.findall(source(name)):
            assert MODULES.index(other) < place
            assert {n.strip() for n in names.split(",")} - {""} <= set(exports(other)), (name, other)
        assert len(IMPORT.findall(source(name))) == len(re.findall("^import", source(name), re.MULTILINE))
        assert len(EXPORT.findall(source(name))) == len(re.findall("^export", source(name), re.MULTILINE))
    every = [name for module in MODULES for name in exports(module)]
    assert len(every) == len(set(every))
    assert "import" not in re.findall(r"^\w+", script(), re.MULTILINE)


def numpys(x):
    return np.linalg.norm(x)


def of_math(x):
    return math.gamma(x)


def pythons(x):
    return sorted(reversed(x))


def a_list_s(x):
    x.extend([1])


def of_a_type(x):
    return isinstance(x, dict)


def bits(x):
    return x ^ 1


def positive(x):
    return +x


REFUSED = {
    numpys: "`np.linalg` has no JavaScript: of numpy a page has abs, any, arange, .*, zeros, not linalg",
    of_math: "`math.gamma` has no JavaScript: of math a page has atan2, .*, sqrt, not gamma",
    pythons: "`reversed` has no JavaScript: of Python a page has ValueError, abs, .*, zip, not reversed",
    a_list_s: r"`x.extend\(\[1\]\)` has no JavaScript: of methods .* text format, .*; lists append, .*, not extend",
    of_a_type: "`dict` has no JavaScript: of isinstance a page has bool, float, int, list, ndarray, str, not dict",
    bits: r"`x \^ 1` has no JavaScript",
    positive: r"`\+x` has no JavaScript",
}


@pytest.mark.parametrize("function", REFUSED, ids=lambda function: function.__name__)
def test_what_a_page_has_not_is_refused_where_it_stands(function):
    bundle = Bundle()
    with pytest.raises(Untranslatable, match=f"{function.__name__}, line \\d+: {REFUSED[function]}"):
        bundle.text(function)
        assert bundle.source
