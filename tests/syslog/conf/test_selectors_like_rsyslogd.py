"""A thousand random selectors, each facility and severity: the same destinations as rsyslogd's."""

from __future__ import annotations

import random
import re
import socket
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from peers import RSYSLOGD, rsyslogd
from receiving import waited_for
from running import examples

from mailscope.syslog.conf.reading import read
from mailscope.syslog.conf.routing import routed
from mailscope.syslog.conf.rules import Dialect
from mailscope.syslog.record import parsed

COUNT, BATCHES = examples(1000), 4
FACILITIES = (
    *("kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp"),
    *("ntp", "security", "console", "mark", "*", "*", "*", "MAIL", "Local3"),
    *(f"local{number}" for number in range(8)),
)
LEVELS = (
    *("emerg", "panic", "alert", "crit", "err", "error", "warning", "warn", "notice", "info", "debug"),
    *("none", "none", "*", "*", "0", "3", "7", "16", "17", "INFO", "None"),
)
# What no daemon knows: the whole rule is then none.
UNKNOWN = ("mial", "local8", "bsd_security", "infoo", "")


def selector(chooser: random.Random) -> str:
    fields = []
    for _ in range(chooser.choice((1, 1, 2, 3, 5))):
        names = ",".join(chooser.choices(FACILITIES, k=chooser.choice((1, 1, 1, 2, 3))))
        level = chooser.choice(("", "", "", "=", "!", "!=")) + chooser.choice(LEVELS)
        if chooser.random() < 0.02:
            level = chooser.choice(UNKNOWN[3:])
        if chooser.random() < 0.02:
            names += "," + chooser.choice(UNKNOWN[:3])
        fields.append(f"{names}.{level}")
    return ";".join(fields)


def messages() -> list[bytes]:
    return [b"<%d>Nov 27 10:00:00 mx1 prog: message %d" % (pri, pri) for pri in range(192)]


@pytest.mark.skipif(RSYSLOGD is None, reason="needs rsyslogd (Debian: rsyslog)")
@pytest.mark.parametrize("batch", range(BATCHES))
def test_messages_go_where_rsyslogd_sends_them(batch: int) -> None:
    chooser = random.Random(f"selectors {batch}")
    selectors = [selector(chooser) for _ in range(COUNT // BATCHES)]
    with TemporaryDirectory(prefix="ms-") as name:
        folder = Path(name)
        rules = "".join(f"{each}\t{folder}/{number}\n" for number, each in enumerate(selectors))
        rules += f"*.*\t{folder}/all\n"
        ours = folder / "ours.conf"
        ours.write_text(rules)
        template = (
            f'template(name="t" type="string" string="%msg%\\n")\n$ActionFileDefaultTemplate t\n{rules}'
        )
        with rsyslogd(folder, template) as inside, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.connect(str(inside))
            for message in messages():
                sender.send(message)
            everything = folder / "all"
            assert waited_for(lambda: taken(everything) == set(range(192)))
        theirs = {number: taken(folder / str(number)) for number in range(len(selectors))}
        rules_read = read(ours, Dialect.RSYSLOG).rules
    found: dict[int, set[int]] = {number: set() for number in range(len(selectors))}
    for message in messages():
        record = parsed(message)
        assert record is not None
        for rule in routed(rules_read, record):
            destination = Path(rule.action.target).name
            if destination != "all":
                found[int(destination)].add(record.priority)
    for number, each in enumerate(selectors):
        assert found[number] == theirs[number], each
    assert sum(map(len, found.values())) > 3000


def taken(file: Path) -> set[int]:
    """The priorities of our messages in a file; rsyslogd writes some of its own there, too."""
    return {int(pri) for pri in re.findall(r"message (\d+)", file.read_text())} if file.exists() else set()
