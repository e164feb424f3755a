"""Private names of Panel, Bokeh and HoloViews stand in one file and are still there; importing changes nothing."""

import ast
import subprocess
import sys
from pathlib import Path

import panel as pn
import panel.io.document as panel_document
import pytest
from bokeh.document import Document
from panel.theme import fast
from pyviz_comms import Comm
from test_layers import MODULES, PACKAGE, nodes_of

from optviz import SurfaceDescent
from optviz.page import insides
from optviz.page.controls import knobs_of


def foreign_private_names(path: Path) -> list[str]:
    """What a module asks of others by a name that begins with an underscore, of what its packages bring along."""
    nodes = nodes_of(path)
    imports = [n for n in nodes if isinstance(n, ast.Import | ast.ImportFrom) and is_foreign(n)]
    brought = {alias.asname or alias.name.split(".")[0] for node in imports for alias in node.names}
    return [ast.unparse(node) for node in nodes
            if isinstance(node, ast.Attribute) and node.attr.startswith("_") and not node.attr.startswith("__")
            and root_of(node) in brought]  # fmt: skip


def is_foreign(node: ast.Import | ast.ImportFrom) -> bool:
    names = [node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]
    return any(name.split(".")[0] in ("panel", "bokeh", "holoviews") for name in names)


def root_of(node: ast.AST) -> str:
    """The name at the left end of a chain of attributes."""
    while isinstance(node, ast.Attribute | ast.Call | ast.Subscript):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else ""


def overrides(path: Path) -> set[str]:
    """The private names in the classes of a module, methods and values alike."""
    classes = [node for node in nodes_of(path) if isinstance(node, ast.ClassDef)]
    defined = [part for kind in classes for part in kind.body]
    functions = {part.name for part in defined if isinstance(part, ast.FunctionDef)}
    values = {target.id for part in defined if isinstance(part, ast.Assign | ast.AnnAssign)
              for target in (part.targets if isinstance(part, ast.Assign) else [part.target])
              if isinstance(target, ast.Name)}  # fmt: skip
    return {name for name in functions | values if name.startswith("_") and not name.startswith("__")}


@pytest.mark.parametrize("module", [name for name in MODULES if name != "page.insides"])
def test_no_other_module_uses_a_private_name(module):
    assert foreign_private_names(MODULES[module]) == []
    handed_on = {"_widgets", "_widget_box", "_models", "_busy__ignore", "_debounce", "_param_pane", "_param_name"}
    used = {node.attr for node in nodes_of(MODULES[module]) if isinstance(node, ast.Attribute)}
    assert not used & handed_on
    panels = {name for names in insides.OVERRIDDEN.values() for name in names}
    assert not overrides(MODULES[module]) & panels


@pytest.mark.parametrize("name", insides.OVERRIDDEN)
def test_what_is_overridden_is_there(name):
    kind = getattr(insides, name)
    assert all(hasattr(kind.__mro__[1], private) for private in insides.OVERRIDDEN[name])
    private = {own for own in overrides(MODULES["page.insides"]) if own in vars(kind)}
    assert private == set(insides.OVERRIDDEN[name])


def test_what_is_called_is_there():
    knobs = knobs_of(SurfaceDescent(), ["steps", "start_x"])
    (steps, field) = insides.widgets_of(knobs).values()
    assert set(insides.widgets_of(knobs)) == {"steps", "start_x"} and steps in insides.parts_of(knobs)
    assert type(steps)._debounce == 50 and steps._debounce == insides.DEBOUNCE and steps._busy__ignore == ["value"]
    assert insides.declared_by(field)[1] == "start_x"
    pane = pn.pane.HTML("x")
    pane.get_root(Document(), Comm())
    assert len(insides.models_of(pane)) == 1
    for name in ("_WRITE_MSGS", "_WRITE_BLOCK", "_dispatch_write_task", "_dispatch_msgs"):
        assert hasattr(panel_document, name), name
    assert "font" in fast.Fast._resources and "font" not in insides.Fast._resources


def test_importing_and_showing_changes_nothing_for_others_in_the_process():
    code = """
import os
import holoviews as hv, panel as pn
from panel.reactive import Syncable
import holoviews.plotting.bokeh
class Theirs: pass
hv.Store.renderers["theirs"], hv.Store._options["theirs"] = Theirs(), hv.Store._options["bokeh"]
hv.Store._custom_options["theirs"] = {}
hv.Store.current_backend = "theirs"
known = lambda: (dict(os.environ), Syncable._debounce, pn.extension._loaded, hv.extension._loaded,
                 hv.Store.current_backend, pn.config.inline, pn.config.session_key_func)
before = known()
import optviz, optviz.app
experiment = optviz.SurfaceDescent()
experiment.page(), experiment.html(), experiment.views
assert known() == before, (before, known())
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=PACKAGE.parent)
    assert done.returncode == 0, done.stderr[-1500:]
