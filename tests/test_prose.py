"""Numbers in prose: true minus signs, powers that read, nothing at which a line may break; the page's own alike."""

from __future__ import annotations

import pytest
from test_export_theory import NODE, on_the_page

from optviz.layout import typeset, wrapped

CASES = {
    "at (-3.025, -2.854e-05), <b>-0.5</b>": "at (−3.025, −2.854e−5), <b>−0.5</b>",
    "stays 2.15e+240 above, 1e+05 or 3e-310": "stays 2.15e240 above, 1e5 or 3e−310",
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


@pytest.mark.skipif(NODE is None, reason="no node on this machine")
def test_a_page_sets_them_alike():
    assert on_the_page([(typeset, [text], {}) for text in CASES]) == list(CASES.values())


@pytest.mark.browser
def test_no_line_breaks_within_a_number(page):
    numbers = ["−2.854e−5", "2.15e240", "−0.5", "3e−310", "21\u00a0%"]
    words = " ".join(f"<i>{number}</i>" for number in numbers)
    page.set_content(f"<div style='width: 1px; font: 16px sans-serif'>{words}</div>")
    assert page.evaluate("() => [...document.querySelectorAll('i')].map((e) => e.getClientRects().length)") == [1] * 5
