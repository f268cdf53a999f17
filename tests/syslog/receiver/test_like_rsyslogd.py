"""The same messages given to rsyslogd and to us: priority, host and all that follows must be the same.

Left out is where we differ on purpose: hosts that are IPv6 addresses, in brackets or ``(none)``, which
rsyslogd takes for tags; Cisco's forms; messages without a stamp, in which rsyslogd takes the first word for
the host.
"""

from __future__ import annotations

import random
import socket
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from peers import RSYSLOGD, rsyslogd
from receiving import lines, local, receiving, sent, waited_for

COUNT, BATCH = 400, 50
STAMPS = (
    b"Nov 27 10:00:00",
    b"Nov  7 01:02:03",
    b"2026-11-27T10:00:00Z",
    b"2026-11-27T10:00:00.123456+01:00",
)
HOSTS = (
    b"mx1 ",
    b"mx1.example.org ",
    b"192.0.2.7 ",
    b"my_host ",
    b"host- ",
    b"-mx ",
    b"a..b ",
    b"",
    b"",
    b"mx1:",
)
TAGS = (b"app: ", b"app[12]: ", b"postfix/smtpd[12]: ", b"kernel:", b"su ", b"CRON[7]:", b"a-b_c.d: ")
ENDS = (b"", b"", b"\n", b"\0", b"\n\0", b"\n\n", b"\0\0")


def message(chooser: random.Random) -> bytes:
    """A message with a stamp, and any bytes in its text."""
    text = (
        bytes(chooser.choices(range(256), k=chooser.randrange(1, 60)))
        if chooser.random() < 0.5
        else b"plain text"
    )
    head = b"<%d>" % chooser.randrange(192) + chooser.choice((b"", b"", b"", b" "))
    stamp = chooser.choice(STAMPS) if not head.endswith(b" ") else STAMPS[0]
    # What is dropped at the end is tested by itself: a carriage return is dropped by us only.
    text = text.rstrip(b"\r\n\0") + b"."
    return head + stamp + b" " + chooser.choice(HOSTS) + chooser.choice(TAGS) + text + chooser.choice(ENDS)


@pytest.mark.skipif(RSYSLOGD is None, reason="needs rsyslogd (Debian: rsyslog)")
def test_rsyslogd_reads_the_same_of_random_messages() -> None:
    chooser = random.Random(20261127)
    messages = [message(chooser) for _ in range(COUNT)]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.bind(("127.0.0.1", 0))
        port = asking.getsockname()[1]
    with TemporaryDirectory(prefix="ms-") as name, receiving(local("udp")) as receiver:
        written = Path(name) / "out"
        rules = f"""module(load="imudp")
template(name="parts" type="string" string="<%PRI%>%hostname% %syslogtag%%msg%\\n")
input(type="imudp" address="127.0.0.1" port="{port}" ruleset="all")
ruleset(name="all") {{ action(type="omfile" file="{written}" template="parts") }}"""
        with rsyslogd(Path(name), rules), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            assert waited_for(lambda: bound(port))
            for start in range(0, COUNT, BATCH):  # no more than its buffer holds
                for each in messages[start : start + BATCH]:
                    sender.sendto(each, ("127.0.0.1", port))
                assert waited_for(lambda: lines_in(written) >= start + BATCH)  # noqa: B023
            sent(receiver, *messages)
            ours = lines(receiver, COUNT)
        theirs = written.read_bytes().split(b"\n")[:-1]
    assert [without_stamp(line) for line in ours] == theirs


def bound(port: int) -> bool:
    """Whether someone listens on a UDP port."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        try:
            asking.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


def lines_in(path: Path) -> int:
    return path.read_bytes().count(b"\n") if path.exists() else 0


def without_stamp(line: bytes) -> bytes:
    for stamp in STAMPS:
        line = line.replace(b">" + stamp + b" ", b">", 1)
    return line
