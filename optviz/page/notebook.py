"""What a notebook needs before it shows a page: loaded when one is first shown there, and nowhere else."""

from __future__ import annotations

import os
import sys

import holoviews as hv
import panel as pn

_READY: list[bool] = []  # once it is


def prepare_notebook() -> None:
    """Load HoloViews' and Panel's extensions into the notebook that runs this, once; elsewhere do nothing.

    The notebook then holds their scripts, so that it shows its pages with no network, unless PANEL_INLINE says
    otherwise. They come with the output of the cell that shows something first.
    """
    ipython = sys.modules.get("IPython")
    if _READY or ipython is None or ipython.get_ipython() is None:
        return
    if "PANEL_INLINE" not in os.environ:
        pn.config.inline = True
    hv.extension("bokeh", logo=False, inline=pn.config.inline)
    _READY.append(True)
