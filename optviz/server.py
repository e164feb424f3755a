"""`optviz serve`: every experiment and the index from one process that is safe as it starts.

Panel's own command serves the same apps; what it leaves to whoever calls it is decided here (`optviz.guard`).
"""

from __future__ import annotations

import gc
import logging
import os
import secrets
import socket
from collections.abc import Callable, Sequence
from typing import Any

from bokeh.application.handlers.document_lifecycle import DocumentLifecycleHandler
from bokeh.core.validation import silence
from bokeh.core.validation.warnings import EMPTY_LAYOUT
from bokeh.document import Document
from bokeh.server.server import BaseServer
from bokeh.server.util import create_hosts_allowlist
from bokeh.util.logconfig import basicConfig
from panel.io.application import Application
from panel.io.handlers import FunctionHandler
from panel.io.resources import DIST_DIR
from panel.io.state import set_curdoc
from tornado.httpserver import HTTPServer
from tornado.ioloop import IOLoop
from tornado.netutil import bind_sockets

from .app import serve_live
from .catalogue import experiments, named
from .experiment import Experiment
from .guard import LONGEST_HEADER, LONGEST_MESSAGE, WRONG, Guarded, OneLine, components
from .messages import refuse
from .served import hand_out, handlers, index_page, runs_in_browsers, visit
from .sweeps import cluster

ANYWHERE = ("", "0.0.0.0", "::")  # addresses of this machine that no visitor types
BODY = 1 << 16  # bytes: nothing here takes one
PATIENCE = 60.0  # seconds for a request to be whole
LINGER = 15_000  # ms that a page may take to connect
LOOK = 1_000  # ms until a session is gone that nobody is connected to
BROKEN = f"<!doctype html><html lang=en><title>optviz</title><!-- visit --><p>{WRONG}</p></html>"

log = logging.getLogger("optviz")


def run(names: Sequence[str], port: int, address: str, public: Sequence[str], scheduler: str) -> None:
    """Serve these experiments, or all, until somebody stops it."""
    kinds = {kind: name for name, kind in experiments().items()}
    chosen = {kinds[kind]: kind for kind in map(named, names)} if names else experiments()
    server = make(chosen, port, address, public, scheduler)
    gc.collect()
    gc.freeze()  # Panel collects all there is, torch and sympy too, after sessions that end: a third of a second
    print(f"optviz is at http://{'localhost' if address in ANYWHERE else address}:{server.port}", flush=True)
    server.run_until_shutdown()


def make(
    kinds: dict[str, type[Experiment]],
    port: int = 5006,
    address: str = "127.0.0.1",
    public: Sequence[str] = (),
    scheduler: str = "",
) -> BaseServer:
    """A server of these experiments, listening and warm, not yet started."""
    if address in ANYWHERE and not public:
        refuse("optviz serve", "needs --public HOST, what visitors type, with an --address of all networks", address)
    for host in public:
        if "*" in host or "/" in host or not host:
            refuse("optviz serve", "needs a --public HOST or HOST:PORT, as visitors type it", host)
    if not 0 <= port < 1 << 16:  # a larger one would be taken for another
        refuse("optviz serve", "needs a --port from 0 to 65535", port)
    try:
        sockets = bind_sockets(port, address, family=_family(address))
    except OSError as trouble:
        refuse("optviz serve", f"needs an address and a free port ({trouble})", f"{address}:{port}")
    _write_lines()
    silence(EMPTY_LAYOUT, True)
    cluster.prepare(["--scheduler", scheduler] if scheduler else [])
    warm(kinds)
    app = application(kinds, origins(sockets[0].getsockname()[1], address, public))
    http = HTTPServer(app, max_header_size=LONGEST_HEADER, max_body_size=BODY,
                      idle_connection_timeout=PATIENCE, body_timeout=PATIENCE)  # fmt: skip
    http.add_sockets(sockets)
    return BaseServer(IOLoop.current(), app, http)


def _family(address: str) -> Any:
    return socket.AF_INET if address in ("", "0.0.0.0") else socket.AF_UNSPEC


def origins(port: int, address: str, public: Sequence[str]) -> set[str]:
    """The hosts whose pages may connect: this machine, and what visitors type."""
    here = [f"{name}:{port}" for name in ("localhost", "127.0.0.1", "[::1]")]
    there = [] if address in ANYWHERE else [f"{address}:{port}"]
    # a name without a port may be typed with ours, or stand for another server's in front of this one
    named = [each for host in public for each in ([host] if ":" in host else [host, f"{host}:443", f"{host}:{port}"])]
    return set(create_hosts_allowlist([*here, *there, *named], port)) if named else {*here, *there}


def application(kinds: dict[str, type[Experiment]], allowed: set[str]) -> Guarded:
    """All that is answered, and by whom."""
    pages = {f"/{name}": _app(_maker(kind)) for name, kind in kinds.items()}
    index = _app(lambda: hand_out(index_page(*kinds), "optviz", "surface_descent"))
    return Guarded(
        {"/": index, "/index": index, **pages},
        extra_patterns=[*handlers(), *components()],
        extra_websocket_origins=sorted(allowed),
        secret_key=secrets.token_bytes(32),  # of this process: a token of another one is asked for anew
        sign_sessions=True,
        include_headers=["Host", "X-Forwarded-Proto", "User-Agent"],  # in a token, which a page shows its visitor
        include_cookies=[],
        use_index=False,
        ico_path=str(DIST_DIR / "images" / "favicon.ico"),
        websocket_max_message_size_bytes=LONGEST_MESSAGE,
        check_unused_sessions_milliseconds=LOOK,
        unused_session_lifetime_milliseconds=LINGER,
    )


def _maker(kind: type[Experiment]) -> Callable[[], Any]:
    return lambda: visit(kind) if runs_in_browsers(kind) else serve_live(kind)


def _app(make_page: Callable[[], Any]) -> Application:
    def fill(document: Document) -> None:
        with set_curdoc(document):
            try:
                make_page()
            except Exception:  # Panel would show its visitor the traceback
                log.warning("A page went wrong", exc_info=True)
                document.clear()
                hand_out(BROKEN, "optviz", "")

    made = Application(FunctionHandler(fill))
    made.add(DocumentLifecycleHandler())
    return made


def warm(kinds: dict[str, type[Experiment]]) -> None:
    """Have ready what the first visitor would wait for: scripts from the disk, or printed; torch, where it computes."""
    index_page(*kinds)
    for kind in kinds.values():
        if not runs_in_browsers(kind):
            with set_curdoc(Document()):
                kind().page()


def _write_lines() -> None:
    """Have every logger of this process write lines; `OPTVIZ_DEBUG=1` has them write tracebacks too."""
    lines = OneLine(tracebacks=bool(os.environ.get("OPTVIZ_DEBUG")))
    handler = logging.StreamHandler()
    handler.setFormatter(lines)
    basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    logging.captureWarnings(True)
    for known in logging.root.manager.loggerDict.values():
        for each in getattr(known, "handlers", ()):
            each.setFormatter(lines)
