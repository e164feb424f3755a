"""What a stranger may do to a server of pages, and what he is told: all that differs from Panel's and Bokeh's own.

Theirs are made for a desk: they import what an address names, take whatever session id a link brings, apply any
patch to a document, and answer with tracebacks. What is here takes their place in `optviz.server` alone; of it
`panel serve` gets what can be put into a running server (`rules`). Importing changes nothing.
"""

from __future__ import annotations

import json
import logging
import sys
import zlib
from base64 import urlsafe_b64decode
from functools import cache
from typing import Any

from bokeh.document import Document
from bokeh.models import Div
from bokeh.protocol.message import Message
from bokeh.server.session import ServerSession
from bokeh.server.tornado import BokehTornado
from bokeh.server.views.autoload_js_handler import AutoloadJsHandler
from bokeh.server.views.metadata_handler import MetadataHandler
from bokeh.server.views.ws import WSHandler
from panel.io.server import ComponentResourceHandler
from tornado.httputil import HTTPServerRequest
from tornado.routing import Matcher, Rule
from tornado.web import HTTPError, RequestHandler

from .messages import refuse

WIRE = "wire"  # the name of the model whose text is what a page says of itself
LONGEST_TEXT = 1 << 16  # characters of it
LONGEST_HEADER = 1 << 20  # bytes of an address with all around it that are read, to be refused in a sentence
LONGEST_MESSAGE = 1 << 20  # bytes
UNPACKED = 4 << 20  # bytes that a token may hold: an address is in it, with the headers of who asked
SAID = {
    400: "The server cannot read this request.",
    403: "The server does not do this for a stranger.",
    404: "There is nothing at this address.",
    405: "This address can be read, and nothing else.",
}
WRONG = "The server could not do this, and goes on."
KINDS = ("ModelChanged", "MessageSent", "ColumnDataChanged", "ColumnsPatched", "ColumnsStreamed")

log = logging.getLogger("optviz")


# what is said, and what is written down


class OneLine(logging.Formatter):
    """A line for each record, whatever a stranger sent: no lines of his own in the log, and none without end."""

    LONGEST = 400

    def __init__(self, tracebacks: bool = False):
        super().__init__("%(asctime)s %(message)s")
        self.tracebacks = tracebacks

    def format(self, record: logging.LogRecord) -> str:
        """With what was raised, and where; all of it where tracebacks are asked for."""
        if self.tracebacks:
            return super().format(record)
        text = record.getMessage()
        if record.exc_info and record.exc_info[1] is not None:
            text = f"{text.splitlines()[0] if text else ''} ({_told(record.exc_info[1])})"
        if len(text) > self.LONGEST:
            text = f"{text[: self.LONGEST]}…"
        return f"{self.formatTime(record)} {' '.join(text.encode('ascii', 'backslashreplace').decode().split())}"


def _told(trouble: BaseException) -> str:
    """What was raised and in which line, as far down as it is known."""
    trace = trouble.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = f", {trace.tb_frame.f_globals.get('__name__')}:{trace.tb_lineno}" if trace else ""
    return f"{type(trouble).__name__}: {str(trouble)[:200]}{where}"


class Plain(RequestHandler):
    """A handler whose refusals are one sentence, with nothing of the server in it."""

    def set_default_headers(self) -> None:
        """No name and version of the server, and no guesses at what a file is."""
        self.clear_header("Server")
        self.set_header("X-Content-Type-Options", "nosniff")

    def write_error(self, status_code: int, **_: Any) -> None:
        """The sentence for this status."""
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.finish(SAID.get(status_code, SAID[400] if status_code < 500 else WRONG))

    def log_exception(self, kind: Any, value: Any, trace: Any) -> None:
        """What was refused is the stranger's affair; what went wrong is ours."""
        if not isinstance(value, HTTPError):
            log.warning(
                "%s of %s went wrong", self.request.method, self.request.path[:80], exc_info=(kind, value, trace)
            )


class Nothing(Plain):
    """What is at an address where nothing is."""

    def prepare(self) -> None:
        """Nothing, whatever it is asked with."""
        raise HTTPError(404)


class Refused(Plain):
    """What somebody gets whose request is not looked into."""

    def initialize(self, status: int) -> None:
        """With this status."""
        self.status = status

    def prepare(self) -> None:
        """A refusal, whatever it is asked with."""
        raise HTTPError(self.status)


# what an address may ask for


class Components(Plain, ComponentResourceHandler):
    """Files that loaded components list; Panel's own imports whatever module an address names.

    One such request ended the server (a module that exits), another held it up; neither needs a visit.
    """

    def parse_url_path(self, url_path: str) -> str:
        """The file of this component, if its module is there; what is made on being asked for stays unmade."""
        module, _, rest = url_path.partition("/")
        held = getattr(sys.modules.get(module), "__dict__", {})
        if not isinstance(held.get(rest.partition("/")[0]), type):
            raise HTTPError(404)
        try:
            return super().parse_url_path(url_path)
        except Exception:  # of a class that is no component, what its attributes hold may be anything
            raise HTTPError(404) from None


def brings_a_session(request: HTTPServerRequest) -> bool:
    """Whether a request names the session that it wants, in its address or in a header.

    A link that did would put its reader into a session of the link's author, who sees and drives the reader's page
    from then on. Signatures do not help: the author asks the server for an id of its own. No page of ours needs it.
    """
    named = {"bokeh-session-id", "bokeh-token"} & set(request.arguments)
    return bool(named) or "Bokeh-Session-Id" in request.headers


def refusal_of(request: HTTPServerRequest) -> int:
    """The status of what is refused before it is looked into, else 0."""
    if "\0" in request.path or "%00" in request.path:  # no file has such a name, and Python says so aloud
        return 404
    if not all(theme.isascii() for theme in request.arguments.get("theme", [])):  # Panel takes it for UTF-8
        return 400
    return 403 if brings_a_session(request) else 0


def unpacks_too_far(token: str) -> bool:
    """Whether a token holds more than any address: 1 MB of zlib makes 1 GB, on the loop that all visitors share."""
    try:
        packed = json.loads(_decoded(token.partition(".")[0])).get("__bk__zlib_", "")
        stream = zlib.decompressobj()
        stream.decompress(_decoded(packed), UNPACKED)
        return bool(stream.unconsumed_tail)
    except (ValueError, AttributeError, TypeError, zlib.error, RecursionError):
        return True  # no token that a server of Bokeh's wrote


def _decoded(text: str) -> bytes:
    return urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))


class Strange(Matcher):
    """Requests that are refused, and tokens that would freeze a server that does not sign them."""

    def match(self, request: HTTPServerRequest) -> dict[str, Any] | None:
        """How `Refused` answers, where it is one."""
        offered = request.headers.get("Sec-WebSocket-Protocol", "").split(",")
        token = offered[1].strip() if len(offered) == 2 else ""
        status = refusal_of(request) or (403 if token and unpacks_too_far(token) else 0)
        return {"target_kwargs": {"status": status}} if status else None


def components() -> list[tuple[str, Any]]:
    """What a server answers instead of Panel's own, for files of components."""
    return [(r"/(?:.*/)?components/(.*)", Components)]


def rules(app: Any) -> list[Rule]:
    """What to put before all else in a running server of Panel's that does not sign its sessions."""
    return [] if app.sign_sessions else [Rule(Strange(), Refused)]


# what a visitor may say


class Socket(Plain, WSHandler):
    """A visitor's connection: each message is answered, refused in a sentence, or ends the connection with one."""

    read = 0  # bytes since the last whole message

    def open(self, *args: Any, **kwargs: Any) -> Any:
        """Begin, with a token that this server signed; of the others Bokeh says why, and raises."""
        self.set_nodelay(True)  # a message goes in three pieces, and the second would wait 40 ms for the first
        try:
            return super().open(*args, **kwargs)
        except Exception as trouble:
            log.info("A connection was refused: %s", trouble)
            self.close(1008, "Open the page anew.")

    async def on_message(self, fragment: str | bytes) -> None:
        """Read on; nothing that is sent here may raise, be logged at length or be kept without end."""
        if self.connection is None or self.receiver is None:
            return self.close(1008, "Wait for the server's word.")
        self.read += len(fragment)
        sentence = "This is no message of a page."
        try:
            whole = None if self.read > LONGEST_MESSAGE else await self.receiver.consume(fragment)
        except Exception as trouble:
            log.info("A message was refused: %s", trouble)
            return self.close(1007, sentence)
        if self.read > LONGEST_MESSAGE:
            return self.close(1009, f"A message may have {LONGEST_MESSAGE:,} bytes.")
        if whole is None:
            return None
        self.read = 0
        if not isinstance(whole.header.get("msgid"), str) or len(whole.header["msgid"]) > 100:
            return self.close(1007, sentence)
        answer = await self.answer(whole)
        if answer is not None:
            await self.send_message(answer)

    async def answer(self, message: Message[Any]) -> Message[Any] | None:
        """The answer to a whole message; one that is refused is answered by why."""
        why = ""
        try:
            return await self._taken(message)
        except ValueError as trouble:
            why = str(trouble).splitlines()[0][:200] if str(trouble).startswith(REFUSALS) else WRONG
            log.info("A message was refused: %s", trouble)
        except Exception:
            why = WRONG
            log.info("A message went wrong", exc_info=True)
        # not while it is handled: Bokeh would put the traceback into the answer
        return self.connection.error(message, why) if self.connection else None

    async def _taken(self, message: Message[Any]) -> Message[Any] | None:
        connection = self.connection
        if connection is None:
            return None
        if message.msgtype == "PULL-DOC-REQ":
            return await ServerSession.pull(message, connection)  # type: ignore[arg-type]
        if message.msgtype == "PATCH-DOC":
            check_patch(connection.session.document, message.content)
            return await ServerSession.patch(message, connection)  # type: ignore[arg-type]
        if message.msgtype == "SERVER-INFO-REQ":
            return connection.protocol.create("SERVER-INFO-REPLY", message.header["msgid"])
        return refuse("The page", "may ask for its document and change it", message.msgtype)

    def on_close(self) -> None:
        """See the session off: a page that comes back asks for another one."""
        if self.connection is None:
            return
        try:
            session = self.connection.session
        except AssertionError:  # a ping of Bokeh's met the closed line first, and has seen it off
            return
        super().on_close()
        if session.connection_count == 0:
            session.request_expiration()


REFUSALS = "The page"


def check_patch(document: Document, content: Any) -> None:
    """Refuse what no page of ours sends; of a page that computes by itself, all but what it says of itself."""
    events = content.get("events") if isinstance(content, dict) else None
    if not isinstance(events, list) or not events or not all(isinstance(event, dict) for event in events):
        refuse(REFUSALS, "must say what has changed", "none of it")
    wires = [root for root in document.roots if isinstance(root, Div) and root.name == WIRE]
    for event in events:
        if len(wires) == len(document.roots):
            _check_word(event, {wire.id for wire in wires})
        elif event.get("kind") not in KINDS:
            refuse(REFUSALS, "may change what its models hold, and nothing else", event.get("kind"))


def _check_word(event: dict[str, Any], wires: set[Any]) -> None:
    """Refuse an event that is not the new text of the wire."""
    model, text = event.get("model"), event.get("new")
    known = isinstance(model, dict) and set(model) == {"id"} and isinstance(model["id"], str) and model["id"] in wires
    if not known or event.get("kind") != "ModelChanged" or event.get("attr") != "text" or not isinstance(text, str):
        refuse(REFUSALS, "may say what its parameters are, and nothing else", event.get("kind"))
    if len(text) > LONGEST_TEXT:
        refuse(REFUSALS, f"may say {LONGEST_TEXT:,} characters", f"{len(text):,}")


# the whole


class Guarded(BokehTornado):
    """Bokeh's application, every handler of which answers as above."""

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, default_handler_class=Nothing, log_function=_logged, **kwargs)

    def get_handler_delegate(self, request: Any, target_class: Any, *args: Any, **kwargs: Any) -> Any:
        """What answers a request: the handler that was found for it, if it may be asked."""
        if status := refusal_of(request):
            return super().get_handler_delegate(request, Refused, {"status": status})
        if issubclass(target_class, AutoloadJsHandler | MetadataHandler):  # pages of ours ask for neither
            return super().get_handler_delegate(request, Nothing)
        return super().get_handler_delegate(request, guarded(target_class), *args, **kwargs)


@cache
def guarded(kind: type[RequestHandler]) -> type[RequestHandler]:
    """A handler with plain refusals, and a connection that listens to little."""
    over = Socket if issubclass(kind, WSHandler) else Plain
    return kind if issubclass(kind, over) else type(kind.__name__, (over, kind), {})


def _logged(handler: RequestHandler) -> None:
    if handler.get_status() >= 500:
        log.warning("%s of %s: %d", handler.request.method, handler.request.path[:80], handler.get_status())
