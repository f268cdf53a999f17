"""One request to an ASGI application, without a socket (the ASGI specification, HTTP)."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from typing import Any


def answered(
    app: Any, method: str, path: str, body: Any = None, client: tuple[str, int] = ("root", 0), query: str = ""
) -> tuple[int, Any]:
    """The status, and the JSON that is answered."""
    sent: list[dict[str, Any]] = []
    data = b"" if body is None else json.dumps(body).encode()
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "path": path,
        "raw_path": path.encode(), "query_string": query.encode(), "root_path": "", "scheme": "http",
        "headers": [(b"content-type", b"application/json"), (b"content-length", str(len(data)).encode())],
        "client": client, "server": ("localhost", 80),
    }  # fmt: skip

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": data, "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    async def run() -> None:
        # A mistake is answered first, and raised then for the server's log.
        with suppress(ZeroDivisionError):
            await app(scope, receive, send)

    asyncio.run(run())
    status = next(each["status"] for each in sent if each["type"] == "http.response.start")
    return status, json.loads(b"".join(each.get("body", b"") for each in sent))
