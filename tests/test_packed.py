"""What a saved page holds in little room comes out as it went in: its scripts, and the formulas of rules."""

import re
from base64 import b64decode
from gzip import decompress

import pytest
from engine import run_js
from oracles import rules

from optviz.export.bundle import Bundle
from optviz.export.definitions import NATIVES, printed, rule_formulas
from optviz.export.skeleton import packed_scripts
from optviz.readings.letters import letters

SCRIPTS = ("window.said = ['</script>\u00e9\u2212'];", "window.said.push(typeof atob);")


def test_scripts_come_out_as_they_went_in():
    text = packed_scripts(SCRIPTS)
    (held,) = re.findall('id="packed">([^<]*)<', text)
    assert decompress(b64decode(held)).decode().split("\0") == list(SCRIPTS)
    assert packed_scripts(SCRIPTS) == text  # the same page is the same file


@pytest.mark.browser
def test_a_browser_runs_them_in_their_order(page):
    page.set_content(f"<body>{packed_scripts(SCRIPTS)}</body>")
    page.wait_for_function("window.said && window.said.length === 2")
    assert page.evaluate("said") == ["</script>\u00e9\u2212", "function"]
    assert page.locator("#packed").count() == 0


@pytest.mark.browser
def test_a_browser_that_cannot_unpack_says_so(page):
    old = "<script>delete window.DecompressionStream</script>"
    page.set_content(f'<body><p id="refused"></p>{old}{packed_scripts(SCRIPTS)}</body>')
    assert page.locator("#refused").text_content() == (
        "This page needs a browser of 2023 or later; open it in a newer one."
    )


def test_the_formulas_of_all_rules_on_a_page():
    bundle = Bundle(NATIVES, printed)
    kinds = {cls.__name__: bundle.text(cls) for cls in rules()}
    source = bundle.source
    asked = [f"Object.keys({kind}().kind.formulas).map((key) => [key, {kind}().kind.formulas[key]"
             f".map((place) => {kind}().kind.texts[place]).join('')])" for kind in kinds.values()]  # fmt: skip
    written = run_js(f"{source}\nreturn [{', '.join(asked)}];")
    assert run_js(f"{source}\nreturn [{', '.join(f'{kind}().kind.letters' for kind in kinds.values())}];") == [
        letters(cls) for cls in rules()
    ]
    assert [dict(each) for each in written] == [rule_formulas(cls) for cls in rules()]
    assert len(set(bundle.texts)) == len(bundle.texts)


def test_texts_that_definitions_have_in_common_stand_once():
    bundle = Bundle(NATIVES, printed)
    assert [bundle.place(text) for text in ("</p>", "b", "</p>")] == [0, 1, 0]
