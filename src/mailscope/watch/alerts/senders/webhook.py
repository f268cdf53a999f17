"""An HTTP POST of the message as JSON, signed where the route names a key.

Source: Standard Webhooks 1.0 (webhook-id is the same for each try; webhook-signature is ``v1,`` and the
base64 of an HMAC-SHA256 over id, timestamp and body with dots between; a key that begins with ``whsec_`` is
base64).  An answer of 2xx is yes, all else is no; redirects are not followed.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import time
from pathlib import Path
from typing import Final
from urllib.parse import SplitResult, urlsplit

from mailscope.exports.destinations.address import Address
from mailscope.exports.destinations.posting import Failure, Poster, trusting
from mailscope.vocabulary.errors import InputError, OutputError
from mailscope.vocabulary.settings.alerting import Route
from mailscope.watch.alerts.message import Message
from mailscope.watch.alerts.senders.secret import first_line

PORTS: Final = {"http": 80, "https": 443}
LONGEST_WORDS: Final = 200


class WebhookSender:
    """The URL that a route names."""

    def __init__(self, route: Route) -> None:
        self._route = route

    @property
    def where(self) -> str:
        """The server; what follows may be a secret."""
        if self._route.url_file:
            return f"the URL in {self._route.url_file}"
        split = urlsplit(self._route.url)
        return f"{split.scheme}://{split.netloc}"

    def send(self, message: Message) -> None:
        """Post it."""
        url = self._url()
        body = json.dumps(content(message), ensure_ascii=True).encode()
        headers = {"webhook-id": message.id, "webhook-timestamp": str(int(time.time()))}
        if self._route.secret_file:
            headers["webhook-signature"] = signature(self._key(), headers, body)
        poster = self._poster(url)
        try:
            answer = poster.post(_path(url), body, "application/json", headers)
        except Failure as error:
            words = getattr(error, "verify_message", "") or getattr(error, "strerror", None) or str(error)
            raise OutputError(f"no answer: {words}"[:LONGEST_WORDS], self.where) from error
        finally:
            poster.close()
        if not 200 <= answer.status < 300:
            words = "".join(char if char.isprintable() else " " for char in answer.reason)[:LONGEST_WORDS]
            raise OutputError(f"it answered {answer.status} {words}", self.where)

    def _url(self) -> SplitResult:
        file = self._route.url_file
        text = first_line(file, "the URL") if file else self._route.url
        try:
            split = urlsplit(text)
            fits = split.scheme in PORTS and bool(split.hostname) and split.port != 0 and text.isascii()
        except ValueError:
            fits = False
        if not fits or " " in text:
            raise InputError("its first line is no URL of http or https", file, "write it as in a browser")
        return split

    def _poster(self, url: SplitResult) -> Poster:
        route = self._route
        address = Address(url.scheme, url.hostname or "", url.port or PORTS[url.scheme])
        token = first_line(route.token_file, "the token") if route.token_file else ""
        context = trusting(Path(route.ca_file) if route.ca_file else None) if url.scheme == "https" else None
        return Poster(address, route.timeout_s, f"Bearer {token}" if token else None, context)

    def _key(self) -> bytes:
        text = first_line(self._route.secret_file, "the key")
        if not text.startswith("whsec_"):
            return text.encode()
        try:
            return base64.b64decode(text.removeprefix("whsec_"), validate=True)
        except binascii.Error as error:
            what = "what follows whsec_ is no base64"
            raise InputError(what, self._route.secret_file, "copy it again") from error


def content(message: Message) -> dict[str, object]:
    """The JSON that is posted."""
    return {
        "id": message.id,
        "type": f"mailscope.{message.kind}",
        "timestamp": message.time.isoformat(timespec="seconds") + "Z",
        "host": message.host,
        "route": message.route,
        "severity": message.severity,
        "title": message.title,
        "text": message.text,
        "data": dict(message.plain),
    }


def signature(key: bytes, headers: dict[str, str], body: bytes) -> str:
    """The value of webhook-signature."""
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def _path(url: SplitResult) -> str:
    return (url.path or "/") + (f"?{url.query}" if url.query else "")
