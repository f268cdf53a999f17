"""A Postfix of one's own on loopback, and a server behind it that decides each recipient's fate."""

from __future__ import annotations

import os
import shutil
import smtplib
import socket
import subprocess
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller

PATIENCE_S = 60.0
SERVICES = """\
127.0.0.1:{port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
flush unix n - n 1000? 0 flush
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""


def require_postfix() -> None:
    """Skip where there is none (3.4 and later log into a file of their own), or it may not be started."""
    if shutil.which("postfix") is None or shutil.which("postconf") is None:
        pytest.skip("there is no Postfix (Debian: postfix)")
    if os.geteuid() != 0:
        pytest.skip("only root may start a Postfix")
    told = subprocess.run(
        ["postconf", "-h", "-d", "maillog_file"], capture_output=True, text=True, check=False
    )
    if told.returncode or "unknown parameter" in told.stderr:
        pytest.skip("this Postfix cannot log into a file of its own (it is older than 3.4)")


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


class Fates:
    """What becomes of a recipient is its local part: ``defer...`` 451, ``bounce...`` 550, others are
    taken.
    """

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802
        if address.startswith("defer"):
            return "451 4.2.1 mailbox is busy"
        if address.startswith("bounce"):
            return "550 5.1.1 no such user"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 Ok"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        return "250 2.0.0 taken"


class Postfix:
    """An instance below a directory that everybody may enter; all its mail goes to one server."""

    def __init__(self, place: Path, relay_port: int) -> None:
        self.port = free_port()
        self.config = place / "etc"
        self.log = place / "log" / "maillog"
        for directory in (self.config, place / "log", place / "queue", place / "data"):
            directory.mkdir(mode=0o755)
        shutil.chown(place / "data", "postfix")
        settings = {
            "compatibility_level": "3.6",
            "queue_directory": place / "queue",
            "data_directory": place / "data",
            "maillog_file": self.log,
            "maillog_file_prefixes": place,
            "inet_interfaces": "127.0.0.1",
            "inet_protocols": "ipv4",
            "myhostname": "mx.example.org",
            "mynetworks": "127.0.0.0/8",
            "mydestination": "",
            "alias_maps": "",
            "alias_database": "",
            "local_recipient_maps": "",
            "relayhost": f"[127.0.0.1]:{relay_port}",
            "smtpd_recipient_restrictions": "check_recipient_access inline:{unwanted@example.net=REJECT}, "
            "permit_mynetworks, reject",
            # It waits for nothing: another attempt comes when the test asks for one.
            "minimal_backoff_time": "1h",
            "maximal_backoff_time": "2h",
        }
        (self.config / "main.cf").write_text(
            "".join(f"{name} = {value}\n" for name, value in settings.items())
        )
        (self.config / "master.cf").write_text(SERVICES.format(port=self.port))

    def run(self, *words: str, text: str = "") -> str:
        """One of Postfix' commands on this instance; ``text``: what it reads."""
        command = [words[0], "-c", str(self.config), *words[1:]]
        # Stamps of its own log are of the zone of whoever started it.
        environment = {**os.environ, "TZ": "UTC", "LC_ALL": "C"}
        done = subprocess.run(
            command, env=environment, input=text, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{' '.join(command)}: {done.stdout} {done.stderr}"
        return done.stdout + done.stderr

    def send(self, message_id: str, sender: str, recipients: list[str]) -> int:
        """Hand a message in; how many of its recipients were refused."""
        message = EmailMessage()
        message["From"], message["To"] = sender, ", ".join(recipients)
        message["Subject"], message["Message-ID"] = "a day in the life", f"<{message_id}>"
        message.set_content("Hello\n")
        with smtplib.SMTP("127.0.0.1", self.port, timeout=PATIENCE_S) as server:
            try:
                return len(server.send_message(message, sender, recipients))
            except smtplib.SMTPRecipientsRefused as refused:
                return len(refused.recipients)

    def send_many(self, messages: Iterable[tuple[str, str]]) -> None:
        """Hand in messages (sender and recipient of each) over one connection."""
        with smtplib.SMTP("127.0.0.1", self.port, timeout=PATIENCE_S) as server:
            for sender, recipient in messages:
                server.sendmail(sender, [recipient], f"Subject: one of many\n\nfor {recipient}\n")

    def queued(self) -> set[str]:
        """The ids of what waits."""
        listed = self.run("postqueue", "-j").splitlines()
        return {line.split('"queue_id": "')[1].split('"')[0] for line in listed if '"queue_id"' in line}

    def settle(self, waiting: int) -> None:
        """Wait until nothing but so many deferred messages are in the queue."""
        until = time.monotonic() + PATIENCE_S
        while True:
            listed = self.run("postqueue", "-j").splitlines()
            names = [
                line.split('"queue_name": "')[1].split('"')[0] for line in listed if '"queue_name"' in line
            ]
            if names == ["deferred"] * waiting:
                return
            assert time.monotonic() < until, names
            time.sleep(0.2)


@contextmanager
def running_postfix(place: Path) -> Iterator[Postfix]:
    """A Postfix with the server behind it; both are stopped in any case."""
    sink = Controller(Fates(), hostname="127.0.0.1", port=free_port(), server_hostname="sink.example.net")
    sink.start()
    try:
        postfix = Postfix(place, sink.port)
        postfix.run("postfix", "start")
        try:
            until = time.monotonic() + PATIENCE_S
            while True:
                try:
                    socket.create_connection(("127.0.0.1", postfix.port), 5).close()
                    break
                except OSError:
                    assert time.monotonic() < until
                    time.sleep(0.1)
            yield postfix
        finally:
            postfix.run("postfix", "stop")
    finally:
        sink.stop()
