"""The command `optviz`: serve the experiments, list them, export them as pages that need no server."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; what it cannot do it says in one sentence, with exit status 2."""
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        _load(options.load)
        options.run(options)
    except (ValueError, OSError) as trouble:
        print(f"optviz: {trouble}", file=sys.stderr)
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="optviz", description="See what an optimizer does.")
    parser.add_argument("--load", action="append", default=[], metavar="FILE",
                        help="import a file of your own first, for what is listed in it; may be repeated")  # fmt: skip
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_serve(commands)
    listing = commands.add_parser("list", help="name every experiment, with a sentence on each")
    listing.set_defaults(run=_list)
    export = commands.add_parser("export", help="write an experiment as one self-contained HTML page")
    export.add_argument("experiment", nargs="?", help="its name, as `optviz list` gives it")
    export.add_argument("--param", action="append", default=[], metavar="NAME=VALUE",
                        help="set a parameter, lr=0.2 for example; may be repeated")  # fmt: skip
    export.add_argument("-o", "--output", metavar="FILE", help="where to write the page (default: NAME.html)")
    export.add_argument("--all", metavar="DIR", help="write every experiment, and an index of them, into DIR")
    export.add_argument("--theme", choices=("system", "default", "dark"), default="system",
                        help="the theme until a visitor chooses: the system's, light (default) or dark")  # fmt: skip
    export.add_argument("--title", default="", help="the page's title")
    export.set_defaults(run=_export)
    return parser


def _add_serve(commands: Any) -> None:
    serve = commands.add_parser("serve", help="serve every experiment, and an index of them, to browsers")
    serve.add_argument("experiments", nargs="*", metavar="NAME", help="only these, as `optviz list` gives them")
    serve.add_argument("--port", type=int, default=5006, help="where to listen (default: 5006)")
    serve.add_argument("--address", default="127.0.0.1",
                       help="on which address of this machine (default: 127.0.0.1, for itself alone)")  # fmt: skip
    serve.add_argument("--public", action="append", default=[], metavar="HOST[:PORT]",
                       help="what visitors type to come here; may be repeated")  # fmt: skip
    serve.add_argument("--scheduler", default="", metavar="ADDRESS", help="a dask cluster for long maps")
    serve.set_defaults(run=_serve)


def _load(paths: Sequence[str]) -> None:
    if paths:
        from .catalogue import load_file

        for path in paths:
            load_file(path)


def _serve(options: Any) -> None:
    from .server import run

    run(options.experiments, options.port, options.address, options.public, options.scheduler)


def _list(options: Any) -> None:
    from .catalogue import experiments

    for name, kind in experiments().items():
        print(f"{name:24s}{kind.sentence}")


def _export(options: Any) -> None:
    if bool(options.all) == bool(options.experiment):
        raise ValueError("export needs the name of an experiment, or --all DIR, and not both.")
    if options.all:
        _export_all(Path(options.all), options)
    else:
        path = Path(options.output or f"{options.experiment}.html")
        _experiment(options).save(path, title=options.title, theme=options.theme)
        print(path)


def _export_all(folder: Path, options: Any) -> None:
    from .catalogue import experiments, path, saved_address
    from .export.page import page_html

    if options.param or options.output or options.title:
        raise ValueError("export --all takes no --param, --output or --title.")
    folder.mkdir(parents=True, exist_ok=True)
    lessons = path(saved_address)
    for name, kind in experiments().items():
        text = page_html(kind(), theme=options.theme, index="index.html", path=lessons)
        (folder / f"{name}.html").write_text(text, "utf-8")
        print(folder / f"{name}.html")
    (folder / "index.html").write_text(_saved_index(options.theme), "utf-8")
    print(folder / "index.html")


def _saved_index(theme: str) -> str:
    """The index of pages that are saved together, with the picture that moves in it."""
    from .catalogue import index_html
    from .export.page import libraries, style
    from .export.skeleton import packed_scripts
    from .opening import PLACE, opening_script

    opening = PLACE + packed_scripts((*libraries(), opening_script()))
    return index_html(theme, head=f"<style>{style()}</style>", opening=opening)


def _experiment(options: Any) -> Any:
    """The experiment that is named, with the parameters that are given."""
    from .catalogue import named

    made = named(options.experiment)()
    settings = [_setting(text) for text in options.param]
    if settings:
        from .state.sharing import apply

        _, refusals = apply(made, dict(settings))
        if refusals or made.message:
            raise ValueError("; ".join(refusals) or made.message)
    return made


def _setting(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise ValueError(f"--param needs NAME=VALUE, not '{text}'; write --param lr=0.2 for example.")
    return name, value
