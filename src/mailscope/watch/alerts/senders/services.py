"""Chat, phone and other services, by the library apprise: in a process of its own for each message.

So a service that hangs is ended in time, what the library holds in memory is not held by the daemon, and
its URLs, which are secrets, stand neither in a command line nor in an error: the child reads them from its
standard input and names a service by its kind and its place in the file.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Final

from mailscope.vocabulary.errors import OutputError
from mailscope.vocabulary.settings.alerting import Route
from mailscope.watch.alerts.message import Message
from mailscope.watch.alerts.senders.secret import lines

CHILD: Final = "mailscope.watch.alerts.senders.services_child"
TYPES: Final = {"info": "info", "warning": "warning", "critical": "failure"}
LONGEST_WORDS: Final = 300


class ServicesSender:
    """The services that a route's file names; those that took a message are not asked again for it."""

    def __init__(self, route: Route) -> None:
        self._route = route
        self._took: tuple[str, frozenset[int]] = ("", frozenset())

    @property
    def where(self) -> str:
        """The file."""
        return f"the services in {self._route.urls_file}"

    def send(self, message: Message) -> None:
        """Tell every service."""
        urls = lines(self._route.urls_file, "apprise's URLs, one a line,")
        took = self._took[1] if self._took[0] == message.id else frozenset()
        left = {str(number): url for number, url in enumerate(urls, 1) if number not in took}
        kind = "success" if message.kind == "over" else TYPES[message.severity]
        asked = {"urls": left, "title": message.title, "text": message.text, "type": kind}
        answer = self._asked(json.dumps(asked).encode())
        failed: dict[str, str] = answer["failed"]
        self._took = message.id, took | {int(number) for number in answer["took"]}
        if failed:
            told = "; ".join(f"line {number}: {words}" for number, words in failed.items())
            raise OutputError(told[:LONGEST_WORDS], self.where, "see docs/alerts.md")

    def _asked(self, question: bytes) -> dict[str, dict[str, str]]:
        timeout_s = self._route.timeout_s
        try:
            done = subprocess.run(
                [sys.executable, "-m", CHILD],
                input=question,
                capture_output=True,
                timeout=timeout_s,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise OutputError(f"they did not answer within {timeout_s} s", self.where) from error
        except OSError as error:
            raise OutputError.from_os_error(error, self.where) from error
        if done.returncode:
            raise OutputError(f"the library apprise failed with exit code {done.returncode}", self.where)
        found: dict[str, dict[str, str]] = json.loads(done.stdout)
        return found
