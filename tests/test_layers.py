"""The wings of the house: imports run one way, in no circle, and the numerics load no view."""

import ast
import subprocess
import sys
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "optviz"
# from what stands alone to what needs all of it; a wing may import from those before it and from itself
WINGS = ("messages", "plurals", "listed", "spans", "disk", "halt", "runtime", "lessons", "trace", "pictures",
         "rules", "objectives",
         "readings", "menus", "runs", "state", "sweeps", "theory", "maps", "races", "page", "export", "experiment",
         "experiments", "opening", "card_pictures", "catalogue", "guard", "served", "app", "server",
         "command")  # fmt: skip
NUMERICS = WINGS[: WINGS.index("page")]
VIEWS = ["panel", "holoviews", "bokeh", "matplotlib"]


def module_of(path: Path) -> str:
    """The name of a module without the package's, empty for the package itself."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_of(path): path for path in sorted(PACKAGE.rglob("*.py"))}


def wing_of(module: str) -> str:
    return module.split(".")[0]


@cache
def nodes_of(path: Path) -> list[ast.AST]:
    """All that a file of Python consists of, as its grammar has it."""
    return list(ast.walk(ast.parse(path.read_text())))


@cache
def imports_of(module: str) -> set[str]:
    """The modules of the package that a module imports, at its top, in functions and for type checkers alike."""
    package = module if MODULES[module].name == "__init__.py" else module.rpartition(".")[0]
    targets = set()
    for node in nodes_of(MODULES[module]):
        if isinstance(node, ast.ImportFrom) and (node.level or (node.module or "").split(".")[0] == "optviz"):
            base = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level and package else []
            named = (node.module or "").removeprefix("optviz" if not node.level else " ").strip(".")
            target = ".".join([*base, *([named] if named else [])])
            inner = {f"{target}.{alias.name}".strip(".") for alias in node.names}
            targets |= {name if name in MODULES else target for name in inner}
        elif isinstance(node, ast.Import):
            targets |= {
                a.name.removeprefix("optviz").strip(".") for a in node.names if a.name.split(".")[0] == "optviz"
            }
    return targets - {module}


def loaded(statement: str) -> set[str]:
    """The top-level packages in memory after a statement, in a process of its own."""
    code = f"{statement}; import sys; print(*{{name.split('.')[0] for name in sys.modules}})"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True,
                         cwd=PACKAGE.parent)  # fmt: skip
    return set(out.stdout.split())


def test_every_module_stands_in_a_wing():
    assert {wing_of(module) for module in MODULES} - {""} == set(WINGS)


@pytest.mark.parametrize("module", [name for name in MODULES if name])
def test_imports_run_one_way(module):
    back = {target for target in imports_of(module) if target == "" or wing_of(target) not in reach(module)}
    assert not back, f"{module} imports {', '.join(sorted(back)) or 'optviz'}"


def reach(module: str) -> tuple[str, ...]:
    """The wings that a module may import from."""
    return WINGS[: WINGS.index(wing_of(module)) + 1]


def test_no_modules_import_each_other_in_a_circle():
    TopologicalSorter({module: imports_of(module) for module in MODULES}).prepare()  # CycleError names the circle


def test_the_numerics_load_no_view():
    numerics = [name for name in MODULES if wing_of(name) in NUMERICS and wing_of(name) != "pictures"]
    packages = loaded("; ".join(f"import optviz.{module}" for module in numerics))
    assert "optviz" in packages and not packages & set(VIEWS)


@pytest.mark.parametrize("module", [name for name in MODULES if wing_of(name) in NUMERICS])
def test_no_numerics_name_a_view(module):
    assert wing_of(module) == "pictures" or not mentions_a_view(module)


def mentions_a_view(module: str) -> bool:
    text = MODULES[module].read_text()
    return any(f"import {view}" in text or f"from {view}" in text for view in VIEWS)


def test_the_package_alone_imports_neither_torch_nor_views():
    found = loaded("import optviz; optviz.descend(optviz.surfaces.Quadratic(), optviz.SGD(), (1, 1), 5)")
    assert not found & {*VIEWS, "torch"}


@pytest.mark.parametrize("module", MODULES)
def test_no_module_uses_an_underscore_name_of_another(module):
    nodes = nodes_of(MODULES[module])
    own = [node for node in nodes if isinstance(node, ast.ImportFrom) and node.level]
    names = {alias.asname or alias.name for node in own for alias in node.names}
    private = {name for name in names if name.startswith("_") and module}
    reached = {ast.unparse(node) for node in nodes if isinstance(node, ast.Attribute) and is_private(node.attr)
               and isinstance(node.value, ast.Name) and node.value.id in names}  # fmt: skip
    assert not private and not reached


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")
