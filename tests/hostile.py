"""What a stranger sends to a server, from a seed, and what must come back: one sentence, or the line is cut."""

from __future__ import annotations

import asyncio
import base64
import json
import random
import re
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from tornado.httpclient import HTTPRequest
from tornado.httputil import HTTPHeaders
from tornado.websocket import WebSocketClientConnection, WebSocketClosedError, websocket_connect

PAGES = ["index", "surface_descent", "single_parameter", "race", "noisy_descent", "conditioning", ""]
PYTHONS = "edge_of_stability"
MODULES = ["this", "antigravity", "idlelib.idle", "__main__", "turtle", "os", "sys", "optviz.command", "",
           "torch.hub", "panel.template.fast", "panel.layout", "optviz", "..", "a" * 3000, "%2e%2e"]  # fmt: skip
NAMES = ["Fast", "FastListTemplate", "Column", "system", "SurfaceDescent", "__dict__", "Popen", "x", "", "%00"]
LISTS = ["_css", "_resources", "__javascript__", "modifiers", "_bundle_path", "__class__", "css", "_stylesheets"]
FILES = ["x.css", "../../../../etc/passwd", "css", "%2fetc%2fpasswd", "", "a/b/c/d", "names/…/x", "pictures/a.webp"]
METHODS = ["HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "GE\x00T", "get", "PATCH", ""]
ODD = ["%00", "%ff%fe", "%c0%af", "%u2215", "%", "%2", "\\..\\", "..;/", "//", "#x", "%0d%0aSet-Cookie:a=b", "\xff",
       "%ed%a0%80", "{{7*7}}", "${7*7}", "<script>", "' or 1=1--", "🂡", "\t", " ", "?", "&&&", "=;="]  # fmt: skip
VALUES = ["dark", "nan", "inf", "-0", "1e999", "9" * 5000, "", "[]", "null", "__import__('os')", "%ff", "<b>", "😀",
          "1" + "0" * 400]  # fmt: skip
KEYS = ["lr", "steps", "optimizer", "objective", "theme", "start", "__class__", "param", "seed", "bokeh-app-path",
        "a b"]  # fmt: skip
HEADERS = ['Host: "><script>', "Host: a\x00b", "Content-Length: -1", "Content-Length: 99999999999", "Cookie: a=\"\\",
           "Transfer-Encoding: chunked", "X-Forwarded-Proto: javascript", "X: " + "y" * 70_000, "Accept-Encoding: \xff",
           "Bokeh-Session-Id: chosen", "If-None-Match: \"\\", "Range: bytes=-99-", "Upgrade: b", ": x"]  # fmt: skip


UPGRADE = ["Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13",
           "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="]  # fmt: skip


def hidden(payload: Any) -> str:
    """As a token says things."""
    text = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return base64.urlsafe_b64encode(text).decode().rstrip("=")


def bomb(size: int) -> str:
    """A token that unpacks to so many bytes."""
    return hidden({"session_id": "x", "session_expiry": 9e12, "__bk__zlib_": hidden(zlib.compress(b" " * size))})


BOMB = bomb(200 << 20)
TOKENS = ["", "x", "a.b", "%00", hidden([]), hidden({}), hidden({"session_id": 3}), hidden({"session_id": ""}),
          hidden({"session_id": "chosen", "session_expiry": 9e12}), hidden(b"\xff\xff"), hidden(b"[" * 50_000),
          hidden({"session_id": "x", "__bk__zlib_": "!"}), BOMB, BOMB + ".x", "é.é"]  # fmt: skip


def requests_from(seed: int) -> Iterator[bytes]:
    """Requests without end, each as it goes over the wire."""
    draw = random.Random(seed)
    kinds = [component, file, long, odd, method, token, parameters, connection, header]
    while True:
        page = PYTHONS if draw.random() < 0.02 else draw.choice(PAGES)  # which takes as long as fifty others
        verb, path, *extra = draw.choice(kinds)(draw, f"/{page}")
        body = {"Content-Length: 5": "hello", "Transfer-Encoding: chunked": "0\r\n\r\n"}.get("".join(extra), "")
        host = [] if "Host:" in "".join(extra) else ["Host: localhost"]
        lines = [f"{verb} {path} HTTP/1.1", *host, *extra, "", body]
        yield "\r\n".join(lines).encode("utf-8", "surrogatepass")


# by the hand that draws and the path of a page: how it is asked, for what, and with which headers


def component(draw: random.Random, _: str) -> tuple[str, ...]:
    parts = [draw.choice(each) for each in (MODULES, NAMES, LISTS, FILES)]
    return "GET", "/components/" + "/".join(parts[: draw.randint(1, 4)])


def file(draw: random.Random, _: str) -> tuple[str, ...]:
    folder = draw.choice(["/static/", "/static/extensions/panel/", "/optviz-files/", "/race/static/", "/"])
    return "GET", folder + draw.choice(["../" * draw.randint(1, 9), "%2e%2e%2f" * 5, "....//", "/"]) + draw.choice(
        FILES
    )


def long(draw: random.Random, path: str) -> tuple[str, ...]:
    return (
        "GET",
        f"{path}?{draw.choice(KEYS)}={draw.randbytes(draw.choice([10, 3000, 40_000, 150_000, 700_000])).hex()}",
    )


def odd(draw: random.Random, path: str) -> tuple[str, ...]:
    return "GET", path + "".join(draw.choices(ODD, k=draw.randint(1, 6)))


def method(draw: random.Random, path: str) -> tuple[str, ...]:
    length = draw.choice([[], ["Content-Length: 0"], ["Content-Length: 5"]])
    return draw.choice(METHODS), path + draw.choice(["", "/ws", "/metadata", "/autoload.js"]), *length


def token(draw: random.Random, path: str) -> tuple[str, ...]:
    where = ["?bokeh-token=", "?bokeh-session-id=", "/autoload.js?bokeh-autoload-element=a&bokeh-token=",
             "/metadata?bokeh-session-id=", "?bokeh-session-id=a&bokeh-token="]  # fmt: skip
    return "GET", path + draw.choice(where) + draw.choice(TOKENS)


def parameters(draw: random.Random, path: str) -> tuple[str, ...]:
    pairs = (f"{draw.choice(KEYS)}={draw.choice(VALUES)}" for _ in range(draw.choice([1, 3, 300])))
    return "GET", f"{path}?{'&'.join(pairs)}"


def connection(draw: random.Random, path: str) -> tuple[str, ...]:
    origin = draw.choice([[], ["Origin: http://evil.example"], ["Origin: null"]])
    return "GET", f"{path}/ws", *UPGRADE, f"Sec-WebSocket-Protocol: bokeh, {draw.choice(TOKENS)}", *origin


def header(draw: random.Random, path: str) -> tuple[str, ...]:
    return "GET", path, draw.choice(HEADERS)


# what comes back


async def answer_to(port: int, request: bytes) -> tuple[int, bytes, bytes]:
    """The status, the headers and the body that come back; 0 where the line is cut without a word."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(request)
        await writer.drain()
        head = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: *(\d+)", head)
        whole = length and not request.startswith(b"HEAD")
        body = await reader.readexactly(int(length[1])) if length and whole else b""
        if head.startswith(b"HTTP/1.1 101"):  # the connection stands: what is said on it
            body = await reader.read(200)
        return int(head.split()[1]), head, body
    except (asyncio.IncompleteReadError, ConnectionError):
        return 0, b"", b""
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


def complaint(answer: tuple[int, bytes, bytes]) -> str:
    """What is wrong with an answer, empty if nothing is."""
    status, head, body = answer
    if b"Traceback" in head + body or b'.py"' in body:
        return "a traceback"
    if status >= 400 and (b"\n" in body.strip() or len(body) > 100 or b"<" in body):
        return "more than a sentence"
    return "500" if status >= 500 else ""


async def ask_all(port: int, requests: list[bytes], at_once: int = 8) -> tuple[Counter, list[tuple[str, bytes]]]:
    """How many were answered by which status, and those whose answers have something wrong with them."""
    counted, wrong, gate = Counter(), [], asyncio.Semaphore(at_once)

    async def one(request: bytes) -> None:
        async with gate:
            try:
                answer = await asyncio.wait_for(answer_to(port, request), 20)
            except TimeoutError:
                return wrong.append(("no answer", request[:200]))
        counted[answer[0]] += 1
        if said := complaint(answer):
            wrong.append((said, request[:200]))

    await asyncio.gather(*map(one, requests))
    return counted, wrong


class Visitor:
    """A page that is open, by its connection."""

    def __init__(self, port: int, page: str):
        self.port, self.page = port, page
        self.socket: WebSocketClientConnection | None = None
        self.cut = False

    async def connect(self) -> Visitor:
        """Ask for the page and connect as it does."""
        request = f"GET /{self.page} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
        status, _, body = await answer_to(self.port, request)
        assert status == 200, status
        found = re.search(r'name="optviz-visit" content="([^"]+)"|"token":"([^"]+)"', body.decode())
        assert found
        self.token = found[1] or found[2]
        self.socket = await self.socket_for(self.token)
        assert (await self.read())[0]["msgtype"] == "ACK"
        return self

    async def socket_for(self, token: str, page: str = "") -> WebSocketClientConnection:
        """A connection with this token."""
        headers = HTTPHeaders({"Origin": f"http://localhost:{self.port}"})
        url = f"ws://127.0.0.1:{self.port}/{page or self.page}/ws"
        socket = await websocket_connect(HTTPRequest(url, headers=headers), subprotocols=["bokeh", token])
        assert socket.protocol
        socket.protocol.set_nodelay(True)
        return socket

    async def read(self) -> tuple[Any, Any]:
        """The header and the content of the next message; None and why, where there is none any more."""
        assert self.socket
        parts: list[Any] = []
        while len(parts) < 3:
            part = await asyncio.wait_for(self.socket.read_message(), 30)
            if part is None:
                self.cut = True
                return None, self.socket.close_reason
            parts.append(part)
        header, text = json.loads(parts[0]), parts[2]
        for _ in range(header.get("num_buffers", 0)):  # whose names are new each time
            name, data = [await self.socket.read_message() for _ in range(2)]
            text = text.replace(f'"{json.loads(name or "{}")["id"]}"', f'"{hash(data)}"')
        return header, json.loads(text)

    async def send(self, *fragments: str | bytes) -> None:
        """What goes over the wire."""
        assert self.socket
        for fragment in fragments:
            with suppress(WebSocketClosedError):  # it may have heard enough
                await self.socket.write_message(fragment, binary=isinstance(fragment, bytes))

    async def leave(self) -> None:
        """Close the connection, and hear that it is."""
        assert self.socket
        self.socket.close()
        while not self.cut:
            self.cut = await asyncio.wait_for(self.socket.read_message(), 30) is None

    async def pull(self) -> tuple[Any, list[Any]]:
        """The document as the server has it, None where the line is cut; and what else was said before."""
        await self.send(*message("PULL-DOC-REQ", {}, "pull"))
        others = []
        while True:
            header, content = await self.read()
            if header is None or header["msgtype"] == "PULL-DOC-REPLY" and header["reqid"] == "pull":
                return (content["doc"] if header else None), [*others, *([] if header else [content])]
            others.append(content if header["msgtype"] == "ERROR" else header["msgtype"])


def message(kind: str, content: Any, name: Any = "m1") -> list[str]:
    """The three parts of a message."""
    return [json.dumps({"msgid": name, "msgtype": kind}), "{}", json.dumps(content)]


def patch(**event: Any) -> list[str]:
    """A message that changes something."""
    return message("PATCH-DOC", {"events": [event]})


OBJECT = {"type": "object", "name": "Div", "id": "new", "attributes": {"text": "<b>"}}
ARRAY = {"type": "ndarray", "shape": [10**9], "dtype": "float64", "order": "little",
         "array": {"type": "bytes", "data": ""}}  # fmt: skip
SCRIPT = {"type": "object", "name": "CustomJS", "id": "j", "attributes": {"code": "alert(1)"}}
ANYTHING = [None, 3, "x", [], {}, OBJECT, ARRAY, SCRIPT, {"id": "x"}, "x" * 70_000, "\ud800", -1e308,
            {"type": "map"}, {"type": "object", "name": "os.system", "id": "k"}, {"type": "number"}]  # fmt: skip
EVENTS = ["RootAdded", "RootRemoved", "TitleChanged", "MessageSent", "ColumnsStreamed", "ColumnDataChanged", "", 3,
          None, "ColumnsPatched", "ModelChanged", "SessionCallbackAdded"]  # fmt: skip
ATTRIBUTES = ["text", "id", "visible", "name", "tags", "_x", "js_event_callbacks", "data"]
TYPES = ["PUSH-DOC", "OK", "ERROR", "ACK", "NOPE", "PULL-DOC-REPLY", "SERVER-INFO-REPLY", "", "PATCH-DOC"]
FRAGMENTS = ["", "{", "[]", "3", "[" * 20_000 + "]" * 20_000, '{"msgtype": 3}', '{"msgtype": "PATCH-DOC"}', "\x00",
             b"\xff", b""]  # fmt: skip


def messages_from(seed: int, ids: list[str]) -> Iterator[list[str | bytes]]:
    """Hostile messages without end, each by its parts; they name models by these ids."""
    draw = random.Random(seed)
    kinds = [an_event, a_value, a_type, a_content, fragments, buffers, a_length, a_slip]
    while True:
        yield draw.choice(kinds)(draw, ids)


def a_model(draw: random.Random, ids: list[str]) -> Any:
    return draw.choice([{"id": draw.choice(ids)}, {"id": "p9"}, OBJECT, draw.choice(ids), None, {"id": [1]}])


def an_event(draw: random.Random, ids: list[str]) -> list:
    model = a_model(draw, ids)
    said = {"msg_type": draw.choice(["bokeh_event", "x"]), "msg_data": draw.choice(ANYTHING), "title": "mine"}
    changed = {"attr": "data", "new": draw.choice(ANYTHING), "column_source": model}
    return patch(kind=draw.choice(EVENTS), model=model, **said, **changed)


def a_value(draw: random.Random, ids: list[str]) -> list:
    return patch(kind="ModelChanged", model=a_model(draw, ids), attr=draw.choice(ATTRIBUTES), new=draw.choice(ANYTHING))


def a_type(draw: random.Random, _: list[str]) -> list:
    document = {"doc": {"roots": [OBJECT], "title": "mine", "version": "3"}}
    return message(draw.choice(TYPES), draw.choice([document, *ANYTHING]))


def a_content(draw: random.Random, _: list[str]) -> list:
    inside = draw.choice(ANYTHING)
    return message("PATCH-DOC", draw.choice([inside, {"events": inside}, {"events": [inside]}]), draw.choice(ANYTHING))


def fragments(draw: random.Random, _: list[str]) -> list:
    return draw.choices(FRAGMENTS, k=draw.randint(1, 3))


def buffers(draw: random.Random, _: list[str]) -> list:
    header = {"msgid": "b", "msgtype": "PATCH-DOC", "num_buffers": draw.choice([1, 10**9, -1, "x", None, 2])}
    payload = draw.choice([b"x" * 1000, "x", b"x" * 1_200_000])
    return [json.dumps(header), "{}", '{"events": []}', '{"id": "b"}', payload]


def a_length(draw: random.Random, _: list[str]) -> list:
    word = {"kind": "ModelChanged", "new": "x" * draw.choice([10, 900_000, 1_500_000])}
    return message(draw.choice(["PATCH-DOC", "PULL-DOC-REQ"]), {"events": [word]})


def a_slip(draw: random.Random, ids: list[str]) -> list:
    (header, metadata, content) = patch(kind="ModelChanged", model={"id": ids[0]}, attr="text", new="lr=0.2")
    body = bytearray(content.encode())
    for _ in range(draw.randint(1, 4)):
        body[draw.randrange(len(body))] = draw.randrange(32, 127)
    return [header, metadata, body.decode()]
