"""A browser without a screen: requests to an ASGI application, with cookies and forms (the ASGI specification)."""

from __future__ import annotations

import asyncio
import http.client
import json
import re
import ssl
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit


@dataclass
class Answer:
    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str:
        return ", ".join(value for key, value in self.headers if key == name)

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def csrf(self) -> str:
        found = re.search(r'name="csrf" value="([^"]+)"', self.text)
        return found[1] if found else ""


@dataclass
class Browser:
    app: Any
    address: str = "192.0.2.9"
    scheme: str = "https"
    accept: str = "text/html"
    host: str = "mail.example.org"
    cookies: dict[str, str] = field(default_factory=dict)

    def get(self, url: str, **headers: str) -> Answer:
        return self.ask("GET", url, b"", headers)

    def post(self, url: str, form: dict[str, Any] | None = None, **headers: str) -> Answer:
        kind = {"content-type": "application/x-www-form-urlencoded"}
        return self.ask("POST", url, urlencode(form or {}, doseq=True).encode(), {**kind, **headers})

    def post_json(self, url: str, value: Any, **headers: str) -> Answer:
        return self.ask(
            "POST", url, json.dumps(value).encode(), {"content-type": "application/json", **headers}
        )

    def ask(self, method: str, url: str, body: bytes, headers: dict[str, str]) -> Answer:
        parts = urlsplit(url)
        told = {"host": self.host, "accept": self.accept, "content-length": str(len(body))}
        if self.cookies:
            told["cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        told |= {name.replace("_", "-"): value for name, value in headers.items()}
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "path": parts.path,
            "raw_path": parts.path.encode(), "query_string": parts.query.encode(), "root_path": "",
            "scheme": self.scheme, "headers": [(name.encode(), value.encode()) for name, value in told.items()],
            "client": (self.address, 12345), "server": ("192.0.2.1", 443), "state": {},
        }  # fmt: skip
        sent: list[dict[str, Any]] = []
        pieces = [body[:7], body[7:]]

        async def receive() -> dict[str, Any]:
            return (
                {"type": "http.request", "body": pieces.pop(0), "more_body": bool(pieces)}
                if pieces
                else {"type": "http.disconnect"}
            )

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        asyncio.run(self.app(scope, receive, send))
        start = sent[0]
        got = [(name.decode(), value.decode()) for name, value in start["headers"]]
        for name, value in got:
            if name == "set-cookie":
                self.keep(value)
        return Answer(start["status"], got, b"".join(each.get("body", b"") for each in sent[1:]))

    def keep(self, cookie: str) -> None:
        name, _, value = cookie.partition(";")[0].partition("=")
        if "max-age=0" in cookie.lower():
            self.cookies.pop(name, None)
        else:
            self.cookies[name] = value


@dataclass
class Visitor(Browser):
    """The same over TCP: ``app`` is the address, such as http://127.0.0.1:8925."""

    trusted: str | None = None

    def ask(self, method: str, url: str, body: bytes, headers: dict[str, str]) -> Answer:
        parts = urlsplit(self.app)
        if parts.scheme == "https":
            context = ssl.create_default_context(cafile=self.trusted)
            connection = http.client.HTTPSConnection(parts.netloc, timeout=60, context=context)
        else:
            connection = http.client.HTTPConnection(parts.netloc, timeout=60)
        told = {"accept": self.accept}
        if self.cookies:
            told["cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        try:
            connection.request(
                method,
                url,
                body or None,
                told | {name.replace("_", "-"): value for name, value in headers.items()},
            )
            answer = connection.getresponse()
            got = [(name.lower(), value) for name, value in answer.getheaders()]
            for name, value in got:
                if name == "set-cookie":
                    self.keep(value)
            return Answer(answer.status, got, answer.read())
        finally:
            connection.close()
