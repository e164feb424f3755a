"""The style sheets of a saved page, by their text: it asks no network for any."""

from __future__ import annotations

import re
from typing import Any

from bokeh.document import Document
from bokeh.models import ImportedStyleSheet, InlineStyleSheet
from panel.io.resources import CDN_DIST, DIST_DIR

COLOURS = {name: f"bundled/theme/{name}.css" for name in ("default", "dark")}  # Panel's sheets of a theme


def inline_styles(document: Document) -> None:
    """Panel's style sheets by their text, each of them once, where the models give an address.

    Those of its colours are left out, which are the page's own (`colours`).
    """
    shared: dict[str, InlineStyleSheet] = {}
    with document.models.freeze():
        for model in list(document.models):
            if getattr(model, "stylesheets", None):
                texts = [_text(sheet) for sheet in model.stylesheets if _file(sheet) not in COLOURS.values()]
                model.stylesheets = [shared.setdefault(css, InlineStyleSheet(css=css)) for css in texts]


def _file(sheet: Any) -> str:
    """The file of Panel's that a style sheet comes from, nothing for one that is there as a text."""
    return sheet.url.split("?")[0].removeprefix(CDN_DIST) if isinstance(sheet, ImportedStyleSheet) else ""


def _text(sheet: Any) -> str:
    if not isinstance(sheet, ImportedStyleSheet):
        return sheet.css if isinstance(sheet, InlineStyleSheet) else sheet
    file = _file(sheet)
    if not sheet.url.startswith(CDN_DIST):
        raise ValueError(f"a style sheet comes from {file}, which a page without network cannot read")
    return (DIST_DIR / file).read_text("utf-8")


def colours() -> str:
    """Panel's colours of both themes, set on the page: all that is on it inherits those of the present one."""
    return f"html {_block('default')}\nhtml.dark {_block('dark')}\n"


def _block(name: str) -> str:
    (found,) = re.findall(r"\{[^{}]*\}", (DIST_DIR / COLOURS[name]).read_text("utf-8"))
    return found
