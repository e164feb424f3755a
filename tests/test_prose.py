"""Numbers in prose: true minus signs, powers that read, nothing at which a line may break; the page's own alike."""

from __future__ import annotations

import re

import pytest
from test_export_theory import on_the_page

from optviz.catalogue import experiments
from optviz.page.layout import typeset, wrapped
from optviz.pictures.captions import caption
from optviz.theory.verdicts import shown

CASES = {
    "at (-3.025, -2.854e-05), <b>-0.5</b>": "at (−3.025, −2.854e−5), <b>−0.5</b>",
    "stays 2.15e+240 above, 1e+05 or 3e-310": "stays 2.15e240 above, 1e5 or 3e−310",
    "lr 1e−05 or −2e−06": "lr 1e−5 or −2e−6",
    "21 % of 3-5 runs, SGD-2, a -.5": "21\u00a0% of 3-5 runs, SGD-2, a −.5",
    '<td style="top: -1px">-1</td><math><mn>-2</mn></math> -3': (
        '<td style="top: -1px">−1</td><math><mn>-2</mn></math> −3'
    ),
    "arXiv 2402.06184, x-1, 1 - 2, loss 1.3": "arXiv 2402.06184, x-1, 1 - 2, loss 1.3",
}


@pytest.mark.parametrize("text", CASES)
def test_numbers_read_as_a_book_has_them(text):
    assert typeset(text) == CASES[text] and typeset(CASES[text]) == CASES[text]
    assert wrapped(text, "note") == f'<div class="note">{CASES[text]}</div>' and wrapped("", "note") == ""


def test_a_page_sets_them_alike():
    assert on_the_page([(typeset, [text], {}) for text in CASES]) == list(CASES.values())


NUMBERS = {-5: "−5", -0.0: "0", 1e5: "1e5", -1.5e-7: "−1.5e−7", 1e-10: "1e−10", 2e300: "2e300"}
# what makes numbers small, large and negative
EXTREMES = {
    "race": {"objective_name": "Monkey saddle", "tolerance": 1e-6, "lowest": -8.0, "trials": 3},
    "noisy_descent": {"surface": "Monkey saddle", "noise": 1e-6, "runs": 2},
    "surface_descent": {"objective": "Styblinski-Tang", "start": (-3.0, -2e-6)},
    "hyperparameter_map": {"objective": "Monkey saddle", "tolerance": 1e-6},
    "loss_comparison": {"epochs": 1},
}


@pytest.mark.parametrize("value", NUMBERS)
def test_a_number_is_shown_as_it_is_set(value):
    assert shown(value) == NUMBERS[value] == typeset(NUMBERS[value])


@pytest.mark.parametrize("name", experiments())
def test_no_page_has_a_hyphen_for_a_minus_or_zeros_in_a_power(name):
    made = experiments()[name](**EXTREMES.get(name, {}))
    assert made.message == ""
    keys = [caption(figure, made.drawings[figure.name]) for figure in made.figures()]
    texts = [wrapped(text, "any") for text in (*keys, made.status(), *made.side().values(), made.notes)]
    layers = [layer for drawing in made.drawings.values() for layer in drawing.layers.values()]
    drawn = [text for layer in layers for text in layer.get("text", ())]
    texts = [re.sub("<[^>]*>", " ", text) for text in texts] + drawn
    for text in texts:
        assert not re.search(r"(?<![\w.)\]])-\s?[.\w]|e[-+]\d|e−0", text), text


@pytest.mark.browser
def test_no_line_breaks_within_a_number(page):
    numbers = ["−2.854e−5", "2.15e240", "−0.5", "3e−310", "21\u00a0%"]
    words = " ".join(f"<i>{number}</i>" for number in numbers)
    page.set_content(f"<div style='width: 1px; font: 16px sans-serif'>{words}</div>")
    assert page.evaluate("() => [...document.querySelectorAll('i')].map((e) => e.getClientRects().length)") == [1] * 5
