"""What all pages of HTML that optviz writes have in common: the head, and the bar above what they show."""

from __future__ import annotations

import gzip
from base64 import b64encode
from collections.abc import Iterable
from html import escape

from ..page.layout import favicon, stylesheet

SITE = "optviz"


def page_text(
    title: str, body: str, *, css: str, sentence: str = "", index: str = "", theme: str = "system", head: str = "",
    served: str | None = None, opens: str = "", pictures: bool = True,
) -> str:  # fmt: skip
    """The text of a page; its header leads to the page `index`, where there is one, and `head` is put into its head.

    `served` says to its scripts that a server hands it out, and what as: "page" or "index"; `opens` what a saved one
    opens with, as its address would say it. What holds `pictures` begins with a link that leads to the first of them.
    """
    home = f'<nav aria-label="{SITE}"><a href="{escape(index)}">{SITE}</a></nav>' if index else f"<b>{SITE}</b>"
    return _PAGE.format(
        title=escape(title), sentence=escape(sentence), icon=favicon(), theme=escape(theme), home=home,
        css=stylesheet("skip.css") + css, skip=SKIP if pictures else "",
        choose=stylesheet("theme.js"), head=head, body=body,
        data=(f' data-served="{served}"' if served else "") + (f' data-opens="{escape(opens)}"' if opens else ""),
    )  # fmt: skip


SKIP = '<a class="skip" href="#page">Skip to the picture</a>\n'


def inline(text: str) -> str:
    """A script in the page itself, which ends at the first end tag within."""
    return "<script>" + text.replace("</script", "<\\/script") + "</script>\n"


def packed_scripts(scripts: Iterable[str]) -> str:
    """Scripts in the page itself as a browser unpacks them, in less than half of their room."""
    data = gzip.compress("\0".join(scripts).encode(), mtime=0)
    text = f'<script type="application/gzip" id="packed">{b64encode(data).decode()}</script>\n'
    return text + inline(stylesheet("unpack.js"))


_PAGE = """<!DOCTYPE html>
<html lang="en" data-theme="{theme}"{data}>
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<script>{choose}</script>
<meta name="description" content="{sentence}">
<meta property="og:type" content="website">
<meta property="og:site_name" content="optviz">
<meta property="og:title" content="{title}">
<meta property="og:description" content="{sentence}">
<link rel="icon" href="{icon}">
<title>{title} · optviz</title>
<style>{css}</style>
{head}</head>
<body>
{skip}<header>{home}<h1>{title}</h1><button type="button" id="theme-button"></button></header>
<script>optviz_theme.offer(document.getElementById("theme-button"));</script>
{body}</body>
</html>
"""
