"""Servers on loopback that behave, misbehave and remember: HTTP with a script of answers, UDP, TCP."""

from __future__ import annotations

import json
import socket
import struct
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

RESET = struct.pack("ii", 1, 0)


@dataclass
class Reply:
    """What to answer: a status with a body, or something worse."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    reset: bool = False
    """Cut the connection instead."""
    drip: float = 0
    """Seconds between the bytes of the answer."""
    silence: float = 0
    """Seconds before the answer."""


@dataclass
class Request:
    """What was asked."""

    path: str
    headers: dict[str, str]
    body: bytes
    at: float


@dataclass
class Web:
    """An HTTP server; ``answer`` makes the reply to each request, given its number."""

    answer: Callable[[Request, int], Reply]
    requests: list[Request] = field(default_factory=list)
    port: int = 0
    connections: int = 0


@contextmanager
def web(answer: Callable[[Request, int], Reply], context: Any = None) -> Iterator[Web]:
    """A running HTTP server (HTTPS with a TLS context)."""
    state = Web(answer)
    stop = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            state.connections += 1
            super().setup()

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            request = Request(self.path, dict(self.headers), body, time.monotonic())
            state.requests.append(request)
            reply = state.answer(request, len(state.requests) - 1)
            if reply.reset:
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                self.close_connection = True
                self.connection.close()
                return
            stop.wait(reply.silence)
            data = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            for byte in [data] if not reply.drip else [data[at : at + 1] for at in range(len(data))]:
                self.wfile.write(byte)
                if stop.wait(reply.drip):
                    return

        def log_message(self, *_: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: Any) -> None:
            pass  # a client that went away is what some tests are about

    server = Server(("127.0.0.1", 0), Handler)
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    state.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield state
    finally:
        stop.set()
        server.shutdown()
        thread.join()
        server.server_close()


@dataclass
class Index:
    """What a bulk API keeps: documents by id, and the results of single documents that a test wants."""

    documents: dict[str, dict[str, Any]] = field(default_factory=dict)
    result: Callable[[dict[str, Any], int], tuple[int, str] | None] = lambda document, attempt: None
    attempts: dict[str, int] = field(default_factory=dict)

    def bulk(self, request: Request) -> Reply:
        """Do what a bulk request says; answer as Elasticsearch does."""
        lines = request.body.decode().split("\n")
        assert lines.pop() == "", "the last line must end"
        items = []
        for action, source in zip(lines[::2], lines[1::2], strict=True):
            [(kind, about)] = json.loads(action).items()
            assert kind == "create"
            document, name = json.loads(source), about["_id"]
            self.attempts[name] = self.attempts.get(name, 0) + 1
            wanted = self.result(document, self.attempts[name])
            if wanted is not None:
                status, reason = wanted
                error = {"type": "some_exception", "reason": reason}
                items.append({"create": {"_id": name, "status": status, "error": error}})
            elif name in self.documents:
                error = {"type": "version_conflict_engine_exception", "reason": "document already exists"}
                items.append({"create": {"_id": name, "status": 409, "error": error}})
            else:
                self.documents[name] = document
                items.append({"create": {"_id": name, "status": 201}})
        errors = any("error" in item["create"] for item in items)
        return Reply(200, {"errors": errors, "items": items})


@dataclass
class Datagrams:
    """Messages that came over UDP, put together from their chunks."""

    port: int = 0
    messages: list[dict[str, Any]] = field(default_factory=list)
    chunked: int = 0
    longest: int = 0


@contextmanager
def udp() -> Iterator[Datagrams]:
    """A running GELF UDP input."""
    state, pieces = Datagrams(), {}
    receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
    receiver.bind(("127.0.0.1", 0))
    receiver.settimeout(0.05)
    state.port = receiver.getsockname()[1]
    stop = threading.Event()

    def take(packed: bytes) -> None:
        state.messages.append(json.loads(zlib.decompress(packed)))

    def run() -> None:
        while True:
            try:
                data = receiver.recv(65536)
            except TimeoutError:
                if stop.is_set():
                    return
                continue
            state.longest = max(state.longest, len(data))
            if data[:2] != b"\x1e\x0f":
                take(data)
                continue
            name, number, total = data[2:10], data[10], data[11]
            assert number < total <= 128
            pieces.setdefault(name, {})[number] = data[12:]
            if len(pieces[name]) == total:
                state.chunked += 1
                parts = pieces.pop(name)
                take(b"".join(parts[at] for at in range(total)))

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield state
    finally:
        stop.set()
        thread.join()
        receiver.close()


@dataclass
class Stream:
    """Messages that came over TCP, by connection."""

    port: int = 0
    connections: list[bytes] = field(default_factory=list)

    @property
    def messages(self) -> list[dict[str, Any]]:
        """All whole messages."""
        return [json.loads(text) for data in self.connections for text in data.split(b"\0")[:-1]]


@contextmanager
def tcp(
    most: Callable[[int], int | None] = lambda connection: None,
    reads: bool = True,
    unread_for: Callable[[int], float | None] = lambda connection: None,
) -> Iterator[Stream]:
    """A running GELF TCP input.

    ``most``: after how many bytes it cuts its n-th connection (None: never); ``unread_for``: after how many
    seconds it resets it without having read anything.
    """
    state = Stream()
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(0.05)
    state.port = listener.getsockname()[1]
    stop = threading.Event()

    def serve(connection: socket.socket, number: int) -> None:
        limit = most(number)
        connection.settimeout(0.05)
        with connection, suppress(ConnectionError):
            if (pause_s := unread_for(number)) is not None:
                stop.wait(pause_s)
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                return
            while not stop.is_set():
                if not reads:
                    stop.wait(0.05)
                    continue
                try:
                    data = connection.recv(65536)
                except TimeoutError:
                    continue
                state.connections[number] += data
                if not data:
                    return
                if limit is not None and len(state.connections[number]) > limit:
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                    return

    def run() -> None:
        threads = []
        while not stop.is_set():
            try:
                connection, _ = listener.accept()
            except TimeoutError:
                continue
            state.connections.append(b"")
            threads.append(threading.Thread(target=serve, args=(connection, len(state.connections) - 1)))
            threads[-1].start()
        for thread in threads:
            thread.join()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield state
    finally:
        stop.set()
        thread.join()
        listener.close()


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """A port that nobody listens on."""
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
