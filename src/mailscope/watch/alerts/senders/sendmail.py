"""A mail by the host's own sendmail program.

``-i``: a line with only a dot is text; ``-f``: the envelope's sender (sendmail(1) of Postfix and qmail).
"""

from __future__ import annotations

import subprocess
from typing import Final

from mailscope.vocabulary.errors import OutputError
from mailscope.vocabulary.settings.alerting import Route
from mailscope.watch.alerts.message import Message
from mailscope.watch.alerts.senders.letter import letter

LONGEST_WORDS: Final = 300


class SendmailSender:
    """The program that a route names."""

    def __init__(self, route: Route, host: str) -> None:
        self._route, self._host = route, host
        self._sender = route.sender or f"mailscope@{host}"

    @property
    def where(self) -> str:
        """The program."""
        return self._route.sendmail

    def send(self, message: Message) -> None:
        """Hand it over."""
        route = self._route
        mail = letter(message, self._sender, route.recipients, self._host)
        command = [route.sendmail, "-i", "-f", self._sender, "--", *route.recipients]
        try:
            done = subprocess.run(
                command, input=mail.as_bytes(), capture_output=True, timeout=route.timeout_s, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise OutputError(f"it did not end within {route.timeout_s} s", self.where) from error
        except OSError as error:
            raise OutputError.from_os_error(error, self.where) from error
        if done.returncode:
            said = " ".join((done.stderr or done.stdout).decode(errors="replace").split())[:LONGEST_WORDS]
            raise OutputError(f"it failed with exit code {done.returncode}{said and f': {said}'}", self.where)
