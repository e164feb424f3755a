"""The experiments' pictures, for what shows a link to a page before it is opened."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib.resources import files

import panel as pn
from bokeh.util.token import get_token_payload

FOLDER = "optviz-files"  # where pages find what belongs to them (`optviz.served.Files`)


@cache
def picture(name: str) -> bytes | None:
    """The picture of the experiment of this name, as a file of WebP; one of yours may have none."""
    file = files("optviz").joinpath("assets", f"{name}.webp")
    return file.read_bytes() if name.isidentifier() and file.is_file() else None


def addresses(name: str) -> Callable[[str], str]:
    """What gives the address of an experiment's picture to the template of a page, from the token of its visit.

    Whoever reads it asks for a whole address, and only the visit knows by what name the server was called:
    the page's session may have been there before (`--reuse-sessions`).
    """
    path = f"{FOLDER}/{name}.webp" if picture(name) else ""

    def address(token: str) -> str:
        headers = get_token_payload(token).get("headers", {})
        host, secure = headers.get("Host", ""), headers.get("X-Forwarded-Proto", "").startswith("https")
        return f"http{'s' * secure}://{host}{base}{path}" if host and path else ""

    base = pn.state.base_url
    return address
