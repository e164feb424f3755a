"""Counter-examples: each opens from its address as it stands on the index, and does what it says."""

from html import unescape
from urllib.parse import parse_qsl, urlencode

import pytest

from optviz.catalogue import counter_examples, experiments, index_html, saved_address
from optviz.state import sharing

FOUND = [pytest.param(kind, each, id=each.title) for kind in experiments().values() for each in kind.counter_examples]


@pytest.mark.parametrize(("kind", "example"), FOUND)
def test_a_counter_example_happens(kind, example):
    made, refused = sharing.apply(kind, dict(parse_qsl(urlencode(example.state))))
    assert not refused and not made.message
    assert example.happens(made)
    assert not example.happens(kind()), "it would have to be no example at all"
    assert 5 <= len(example.sentence.split()) <= 30 and not example.source.endswith(".")


def test_each_is_on_the_index_and_none_twice():
    page = unescape(index_html())
    rows = counter_examples(saved_address)
    assert len(rows) == len(FOUND) == len({each.title for _, each in rows}) >= 9
    for address, each in rows:
        assert f'href="{address}"' in page and each.title in page and each.sentence in page
