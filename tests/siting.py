"""The live page over a store of some lines, in this process, without a guard before it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from mailscope.daemon.opening import opened
from mailscope.daemon.service import Service
from mailscope.daemon.serving import Doors
from mailscope.intake.follow.files import FileFeed
from mailscope.intake.follow.naming import Followed
from mailscope.recognise.library import in_force
from mailscope.vocabulary.settings.settings import Settings
from mailscope.web.people.viewer import VIEWER, Viewer
from mailscope.web.site import site

ADMIN = Viewer("admin")


@dataclass
class Answer:
    """What was answered."""

    status: int
    headers: dict[str, str]
    text: str


class Site:
    """``viewer``: who asks; None for an admin."""

    def __init__(self, app: Any, service: Service) -> None:
        self.app, self.service = app, service
        self.viewer: Viewer | None = None

    def get(self, path: str) -> str:
        answer = self.ask(path)
        assert answer.status == 200, (path, answer.status, answer.text[:2000])
        return answer.text

    def post(self, path: str, form: str) -> Answer:
        return self.ask(path, "POST", form.encode(), {"content-type": "application/x-www-form-urlencoded"})

    def ask(
        self, path: str, method: str = "GET", body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> Answer:
        place, _, query = path.partition("#")[0].partition("?")
        sent: list[dict[str, Any]] = []
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "path": place,
            "raw_path": place.encode(), "query_string": query.encode(), "root_path": "", "scheme": "http",
            "headers": [(name.encode(), value.encode()) for name, value in (headers or {}).items()],
            "client": ("127.0.0.1", 4242), "server": ("localhost", 80),
            "state": {VIEWER: self.viewer or ADMIN},
        }  # fmt: skip

        asked = False

        async def receive() -> dict[str, Any]:
            nonlocal asked
            if asked:
                # The client stays until it is answered.
                await asyncio.Event().wait()
            asked = True
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        asyncio.run(self.app(scope, receive, send))
        start = next(each for each in sent if each["type"] == "http.response.start")
        text = b"".join(each.get("body", b"") for each in sent).decode()
        found = {name.decode().lower(): value.decode() for name, value in start["headers"]}
        return Answer(start["status"], found, text)

    def json(self, path: str) -> Any:
        return json.loads(self.get(path))


@contextmanager
def running(place: Path, lines: list[str], settings: Settings | None = None) -> Iterator[Site]:
    """A service that has stored some lines of a file."""
    log = place / "mail.log"
    log.write_text("".join(f"{line}\n" for line in lines))
    said: list[str] = []
    service = Service(
        open=lambda: opened(place / "store", 160, said.append),
        library=in_force(None),
        zone=ZoneInfo("UTC"),
        feeds=[FileFeed([Followed(str(log))], {})],
        say=said.append,
    )
    try:
        # One turn takes what is there, the next ones store and tidy.
        for _ in range(5):
            service.step()
        yield Site(site(Doors(service), lambda: settings or Settings()), service)
    finally:
        service.between.close()
        service.stop()
