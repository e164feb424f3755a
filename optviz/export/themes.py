"""The themes of a saved page, which switches between them by itself."""

from __future__ import annotations

from typing import Any

from bokeh.document import Document
from panel.theme.fast import FastDarkTheme, FastDefaultTheme

THEMES = ("system", "default", "dark")  # as the visitor's system has it, light, dark


def inks(document: Document) -> dict[str, dict[str, list[Any]]]:
    """The colours of the plots that a dark page has otherwise: by model and property those of light and dark.

    The document is left light.
    """
    dark, light = (_themed(document, theme) for theme in (FastDarkTheme, FastDefaultTheme))
    found: dict[str, dict[str, list[Any]]] = {}
    for (model, name), value in light.items():
        if value != dark[model, name]:
            found.setdefault(model, {})[name] = [value, dark[model, name]]
    return found


def _themed(document: Document, theme: Any) -> dict[tuple[str, str], Any]:
    """What the properties hold that a theme has a say in; one that a plot sets itself stays as it is."""
    document.theme = theme().bokeh_theme
    return {(m.id, name): getattr(m, name) for m in document.models for name in m.themed_values() or ()}
