"""A page inside a notebook."""

from __future__ import annotations

from html import escape


class Frame:
    """A self-contained page as a notebook's output: it works on with no kernel, and after nbconvert."""

    def __init__(self, page: str, height: int, title: str):
        self.page, self.height, self.title = page, height, title

    def _repr_html_(self) -> str:
        return (
            f'<iframe srcdoc="{escape(self.page, quote=True)}" title="{escape(self.title, quote=True)}" '
            f'style="width: 100%; height: {int(self.height)}px; border: 0"></iframe>'
        )
