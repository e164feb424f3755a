"""The experiments' pictures, for what shows a link to a page before it is opened."""

from __future__ import annotations

from collections.abc import Callable
from importlib.resources import files

import panel as pn
from bokeh.util.token import get_token_payload
from panel.io.resources import component_resource_path

FOLDER = files("optviz").joinpath("assets")


class Pictures:
    """The files of the pictures; Panel's server hands them out by this name."""

    _resources = {"pictures": [f"assets/{file.name}" for file in FOLDER.iterdir() if file.name.endswith(".webp")]}


def addresses(name: str) -> Callable[[str], str]:
    """What gives the address of an experiment's picture to the template of a page, from the token of its visit.

    Whoever reads it asks for a whole address, and only the visit knows by what name the server was called:
    the page's session may have been there before (`--reuse-sessions`).
    """
    path = component_resource_path(Pictures, "_resources/pictures", f"assets/{name}.webp")

    def address(token: str) -> str:
        headers = get_token_payload(token).get("headers", {})
        host, scheme = headers.get("Host", ""), headers.get("X-Forwarded-Proto", "http").split(",")[0]
        return f"{scheme}://{host}{base}{path}" if host else ""

    base = pn.state.base_url
    return address
