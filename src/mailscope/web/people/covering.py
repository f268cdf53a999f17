"""Answers to people who see some domains only: the addresses of others are hidden in all that leaves.

What an answer is made of has left them out already where it could; here nothing slips through.  What is no
text cannot be looked through and is not sent.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any, Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import Send

from mailscope.web.people.masking import Masking

STREAMS: Final = ("text/event-stream", "application/x-ndjson")
# Of the page itself: they tell nothing of mail.
PLAIN: Final = ("text/css", "text/javascript", "application/javascript", "image/svg+xml", "font/woff2")
TEXTS: Final = ("text/html", "text/csv", "text/plain", "application/json")


class Covering:
    """Sends an answer, masked."""

    def __init__(self, send: Send, masking: Masking) -> None:
        self._send, self._masking = send, masking
        self._kind = ""
        self._start: MutableMapping[str, Any] = {}
        self._held = bytearray()

    async def __call__(self, message: MutableMapping[str, Any]) -> None:
        """Send a message of ASGI, or keep it until the whole is known."""
        if message["type"] == "http.response.start":
            headers = Headers(raw=message["headers"])
            self._kind = headers.get("content-type", "").partition(";")[0].strip().lower()
            self._start = message
            MutableHeaders(scope=message).update(
                {
                    name: self._masking.text(value)
                    for name, value in headers.items()
                    if "@" in value or "%40" in value
                }
            )
            if "content-encoding" in headers:
                self._kind = "packed"
            if self._kind in PLAIN or self._kind in STREAMS:
                await self._send(message)
            return
        if message["type"] != "http.response.body" or self._kind in PLAIN:
            await self._send(message)
            return
        self._held += message.get("body", b"")
        more = message.get("more_body", False)
        if self._kind in STREAMS:
            whole = len(self._held) if not more else self._held.rfind(b"\n") + 1
            await self._send({**message, "body": self._masked(whole)})
        elif not more:
            await self._whole()

    async def _whole(self) -> None:
        body = self._masked(len(self._held))
        headers = MutableHeaders(scope=self._start)
        if body and self._kind not in TEXTS:
            self._start["status"], body = 403, b"what is no text is for people who see all domains\n"
            headers["content-type"] = "text/plain"
        if "content-length" in headers:
            headers["content-length"] = str(len(body))
        await self._send(self._start)
        await self._send({"type": "http.response.body", "body": body})

    def _masked(self, size: int) -> bytes:
        """What is held, up to there."""
        text = bytes(self._held[:size]).decode("utf-8", "surrogateescape")
        del self._held[:size]
        return self._masking.text(text).encode("utf-8", "surrogateescape")
