"""Visitors without a browser: what a page sends to its server and hears from it, as Bokeh's messages.

A visitor of a page that computes by itself says its state in words, as optviz/assets/wire.js. One
of a page that Python computes moves a slider and keeps what the server draws.
"""

from __future__ import annotations

import asyncio
import json
import re
import threading
import time
from dataclasses import dataclass, field
from typing import Any

import panel.models.location  # noqa: F401  which Bokeh then knows in a document
import panel.models.widgets  # noqa: F401
from bokeh.document import Document
from bokeh.models import ColumnDataSource, Div
from bokeh.protocol import Protocol
from bokeh.protocol.receiver import Receiver
from tornado.httpclient import AsyncHTTPClient, HTTPRequest
from tornado.websocket import WebSocketClientConnection, websocket_connect

TOKEN = re.compile(r'"?token"?:\s*"([^"]+)"|name="optviz-visit" content="([^"]+)"')
READY = {"kind": "MessageSent", "msg_type": "bokeh_event",
         "msg_data": {"type": "event", "name": "document_ready", "values": {"type": "map"}}}  # fmt: skip
PYTHON = ("edge_of_stability",)  # the pages that Python computes
AT_ONCE = 8  # visitors that come at the same time


@dataclass
class Visitor:
    """One session: its websocket, the server's document, and when what it sent was answered."""

    base: str
    page: str
    query: str = ""
    socket: WebSocketClientConnection | None = None
    document: Document | None = None
    sent: dict[str, float] = field(default_factory=dict)
    answered: list[float] = field(default_factory=list)
    heard: float = 0.0  # when the document last changed
    last: str = ""  # what it said last
    waiting: dict[str, asyncio.Future] = field(default_factory=dict)
    troubles: list[str] = field(default_factory=list)

    async def come(self) -> None:
        """Get the page, open its websocket, get the session's document."""
        answer = await AsyncHTTPClient().fetch(f"{self.base}/{self.page}?{self.query}", request_timeout=120)
        found = TOKEN.search(answer.body.decode())
        assert found, f"no token in {self.page}"
        token = found[1] or found[2]
        request = HTTPRequest(f"{self.base.replace('http', 'ws')}/{self.page}/ws", request_timeout=120)
        self.socket = await websocket_connect(request, subprotocols=["bokeh", token], max_message_size=1 << 28)
        self.socket.protocol.set_nodelay(True)  # as browsers: a message is three short pieces
        assert (json.loads(await self.socket.read_message()))["msgtype"] == "ACK"
        for _ in ("metadata", "content"):
            await self.socket.read_message()
        self.reading = asyncio.create_task(self._read())
        self.document = await self.pulled()
        self.wire = self.document.select_one({"name": "wire"}).id if self.page not in PYTHON else ""
        await self.send("PATCH-DOC", events=[READY])

    async def _read(self) -> None:
        """Take what comes: a header, metadata, content, and as many buffers as the header says, in two pieces each."""
        while (header := await self.socket.read_message()) is not None:
            told = json.loads(header)
            pieces = [await self.socket.read_message() for _ in range(2 + 2 * told.get("num_buffers", 0))]
            self._answer(told)
            if told["msgtype"] in ("PATCH-DOC", "PULL-DOC-REPLY", "ERROR"):
                await self._take(told, [header, *pieces])

    def _answer(self, told: dict[str, Any]) -> None:
        begun = self.sent.pop(told.get("reqid", ""), None)
        if begun is not None:
            self.answered.append(time.perf_counter() - begun)

    async def _take(self, told: dict[str, Any], pieces: list[Any]) -> None:
        receiver, message = Receiver(Protocol()), None
        for piece in pieces:
            message = await receiver.consume(piece)
        if told["msgtype"] == "ERROR":
            self.troubles.append(str(message.content))
        elif told["msgtype"] == "PATCH-DOC" and self.document is not None:
            message.apply_to_document(self.document)
            self.heard = time.perf_counter()
        answer = self.waiting.pop(told.get("reqid", ""), None)
        if answer is not None and not answer.done():  # nobody waits any longer
            answer.set_result(message)

    async def send(self, kind: str, **content: Any) -> str:
        header = {"msgid": f"{id(self):x}-{time.perf_counter_ns()}", "msgtype": kind}
        for part in (header, {}, content):
            await self.socket.write_message(json.dumps(part))
        return header["msgid"]

    async def pulled(self) -> Document:
        """The server's document of this session as it is now."""
        answer = asyncio.get_running_loop().create_future()
        self.waiting[await self.send("PULL-DOC-REQ")] = answer
        document = Document()
        (await asyncio.wait_for(answer, 120)).push_to_document(document)
        return document

    async def change(self, model: str, attr: str, new: Any) -> None:
        """Set a property of a model, as a browser's document does."""
        event = {"kind": "ModelChanged", "model": {"id": model}, "attr": attr, "new": new}
        begun = time.perf_counter()
        self.sent[await self.send("PATCH-DOC", events=[event])] = begun

    async def say(self, text: str) -> None:
        """Tell the state of a page that computes by itself."""
        self.last = text
        await self.change(self.wire, "text", text)

    async def move(self, title: str, share: float) -> None:
        """Move a slider of a page that Python computes."""
        slider = self.document.select_one({"title": title})
        step = float(slider.step)
        value = round(slider.start + round(share * (slider.end - slider.start) / step) * step, 10)
        self.last = str(value)
        await self.change(slider.id, "value", value)

    async def known(self) -> str:
        """What the server knows of the state of a page that computes by itself."""
        return (await self.pulled()).select_one({"type": Div}).text

    def drawn(self) -> dict[str, dict[str, Any]]:
        """The data that a page of Python's shows, by the names of their layers."""
        sources = self.document.select({"type": ColumnDataSource})
        return {source.name: dict(source.data) for source in sources if source.name}

    def leave(self) -> None:
        if self.socket is not None:
            self.socket.close()


class Crowd:
    """Many visitors, in a thread of their own."""

    def __init__(self) -> None:
        self.visitors: list[Visitor] = []
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()

    def run(self, work: Any) -> Any:
        """Do this among the visitors, and wait for it."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result()

    def begin(self, work: Any) -> Any:
        """Do this among the visitors meanwhile."""
        return asyncio.run_coroutine_threadsafe(work, self.loop)

    def come(self, base: str, pages: list[str]) -> list[Visitor]:
        """Have these pages opened, each with the state after its question mark."""
        made = [Visitor(base, *page.split("?")) for page in pages]
        self.visitors += made
        self.run(self._come(made))
        return made

    async def _come(self, visitors: list[Visitor]) -> None:
        door = asyncio.Semaphore(AT_ONCE)

        async def enter(visitor: Visitor) -> None:
            async with door:
                await visitor.come()

        await asyncio.gather(*map(enter, visitors))

    def leave(self) -> None:
        for visitor in self.visitors:
            self.loop.call_soon_threadsafe(visitor.leave)
        self.visitors.clear()
