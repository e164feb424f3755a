"""What axe-core finds on a page, light and dark."""

from __future__ import annotations

import re

from axe_playwright_python.sync_playwright import Axe
from browser import wait_idle

_AXE = Axe()


def assert_axe_finds_nothing(page) -> None:
    """In the theme that the page has, and in the one that its button brings."""
    assert_axe_finds_nothing_now(page)
    opens_anew = page.evaluate("typeof optviz_theme === 'undefined'")
    _switch(page)
    if opens_anew:
        page.wait_for_url("**theme=*")
        wait_idle(page)
    assert_axe_finds_nothing_now(page)
    if not opens_anew:
        _switch(page)


def assert_axe_finds_nothing_now(page) -> None:
    """In the theme that the page has."""
    found = _found(page)
    if found:  # names are given once a second, to what came since
        page.wait_for_timeout(1200)
        found = _found(page)
    assert not found, "\n".join(found)


def _found(page) -> list[str]:
    """A line for each; the package's own report knows no shadow roots."""
    return [
        f"{each['id']}: {node['html']}: {node['failureSummary']}"
        for each in _AXE.run(page).response["violations"]
        for node in each["nodes"]
    ]


def _switch(page) -> None:
    page.get_by_role("button", name=re.compile("^(Dark|Light)$")).click()
