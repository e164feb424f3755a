"""What formulas have in common stands once in a page, and every formula comes out as it went in."""

import json

from engine import run_js
from hypothesis import given
from hypothesis import strategies as st
from oracles import rules

from optviz.export.bundle import Bundle
from optviz.export.definitions import NATIVES, printed, rule_formulas
from optviz.export.shortened import Texts, shortened
from optviz.readings.letters import letters


def lengthened(pairs: list[str], texts: list[str]) -> list[str]:
    whole: list[str] = []

    def long(text):
        return "".join(whole[ord(c) - 0x100] if ord(c) >= 0x100 else c for c in text)

    for pair in pairs:
        whole.append(long(pair))
    return [long(text) for text in texts]


@given(st.lists(st.text("ab<>/&;#1", max_size=60), max_size=5))
def test_any_text_comes_out_as_it_went_in(texts):
    assert lengthened(*shortened(tuple(texts))) == texts


def test_the_formulas_of_all_rules_on_a_page():
    bundle = Bundle(NATIVES, printed)
    kinds = {cls.__name__: bundle.text(cls) for cls in rules()}
    source = bundle.source
    asked = [f"Object.keys({kind}().kind.formulas).map((key) => [key, {kind}().kind.formulas[key]"
             f".map((place) => {kind}().kind.texts[place]).join('')])" for kind in kinds.values()]  # fmt: skip
    found = run_js(f"{source}\nreturn [{', '.join(asked)}];")
    assert run_js(f"{source}\nreturn [{', '.join(f'{kind}().kind.letters' for kind in kinds.values())}];") == [
        letters(cls) for cls in rules()
    ]
    assert [dict(each) for each in found] == [rule_formulas(cls) for cls in rules()]
    whole = sum(len(text) for cls in rules() for text in rule_formulas(cls).values())
    assert len(bundle.texts.script().encode()) < 0.06 * whole


def test_texts_stand_once():
    texts = Texts()
    assert [texts.place(each) for each in ("</p>", "b", "</p>")] == [0, 1, 0]
    assert "</p" not in texts.script() and json.loads(texts.script()[len("$.lengthened([], ") : -1]) == ["</p>", "b"]
