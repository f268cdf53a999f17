"""Random logs for qmailanalog's filters, and the original programs where they are installed.

``QMAILANALOG`` names the folder of the originals (``/usr/local/qmailanalog/bin`` by default).
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from random import Random
from typing import Final

from mailscope.reports.compat.qmailanalog.filters import FILTERS
from mailscope.reports.compat.qmailanalog.matchup import Matchup

GOLDEN: Final = Path(__file__).parents[2] / "data" / "qmailanalog"
ORIGINALS: Final = Path(os.environ.get("QMAILANALOG", "/usr/local/qmailanalog/bin"))
# The one true awk: gawk takes array subscripts for numbers, mawk 1.3.4 rounds whole numbers from 2^31.
AWK: Final = shutil.which("original-awk")
BY_NAME: Final = {each.name: each for each in FILTERS}
REASONS: Final = (b"did_1+0+0/", b"", b"Sorry,_no_mailbox./", b"caf\xe9_\xff/", b"a_b__c/", b"550_5.1.1_x/")
ADDRESSES: Final = (
    b"Anna@Example.ORG",
    b"bob@example.net",
    b"",
    b"#@[]",
    b"o\xe9@example.com",
    b"plain",
    b"a@b@c.example",
)


def run(name: str, data: bytes) -> bytes:
    """What our filter of that name makes of the data."""
    return b"".join(BY_NAME[name].run(BytesIO(data)))  # type: ignore[arg-type]


def match(data: bytes) -> tuple[bytes, bytes]:
    """What ``matchup`` writes, and what is pending after it."""
    state = Matchup()
    end = data.rfind(b"\n") + 1
    out = state.read(data[:end]) if end else b""
    return out, state.pending() + data[end:]


def original(name: str, data: bytes, *arguments: bytes, folder: Path) -> bytes | None:
    """What the original of that name makes of the data; None if it gives up, as awk does at a division by zero.

    ``folder`` holds an ``awk``, which the original is to use.
    """
    path = f"{folder}:{ORIGINALS}:{os.environ['PATH']}"
    done = subprocess.run(
        [str(ORIGINALS / name), *arguments],
        input=data,
        capture_output=True,
        env={"PATH": path, "LC_ALL": "C"},
        check=False,
    )
    return None if b"division by zero" in done.stderr else done.stdout


def log(random: Random, lines: int) -> bytes:
    """A log of qmail-send: numbers used again, lines missing, out of order or of no known form."""
    now = 1795319945_000000 + random.randrange(10**9)
    out = []
    for _ in range(lines):
        now += random.choice((0, 1, 57, 4_211, 900_000, 61_000_000)) * random.randrange(3)
        stamp = b"%d.%06d" % divmod(now, 10**6)
        message, delivery = random.randrange(1, 9), random.randrange(1, 6)
        out.append(stamp + b" " + next(_texts(random, message, delivery)) + b"\n")
    return b"".join(out)


def _texts(random: Random, message: int, delivery: int) -> Iterator[bytes]:
    address, reason = random.choice(ADDRESSES), random.choice(REASONS)
    channel = random.choice((b"local", b"remote"))
    size = random.choice((0, 1, 298, 4_711, 2**31, 2**40))
    result = random.choice((b"success", b"success", b"failure", b"deferral"))
    common = (
        b"new msg %d" % message,
        b"info msg %d: bytes %d from <%b> qp %d uid %d"
        % (message, size, address, random.randrange(9), message % 3),
        b"starting delivery %d: msg %d to %b %b" % (delivery, message, channel, address),
        b"starting delivery %d: msg %d to %b %b" % (delivery, message, channel, address),
        b"delivery %d: %b: %b" % (delivery, result, reason),
        b"delivery %d: %b: %b" % (delivery, result, reason),
        b"end msg %d" % message,
    )
    rare = (
        b"status: local 0/10 remote 1/20",
        b"delivery %d: report mangled, will defer" % delivery,
        b"delivery %d: unheard: of" % delivery,
        b"delivery %d" % delivery,
        b"warning: trouble in select",
        b"alert: out of memory, sleeping...",
        b"bounce msg %d qp 77" % message,
        b"extra %d 3 2 1" % message,
        b"running",
        b"exiting",
        b"",
        b"info msg x%d: bytes" % message,
        b"info\tmsg  %d:   bytes 12x from <a@example.org> qp 007 uid -1" % message,
        b"starting delivery 99999999999999999999999: msg %d to local" % message,
        b"end msg %d\x00 trailing\x00\x00zero" % message,
        b"\r\x0b\x0c odd blanks",
        bytes(random.choices(range(1, 256), k=random.randrange(20))).replace(b"\n", b" "),
    )
    yield random.choice(common) if random.random() < 0.85 else random.choice(rare)


def records(random: Random, lines: int) -> bytes:
    """Lines such as ``matchup`` writes, and damaged ones that awk takes in its own way."""
    odd = (
        b"",
        b"0",
        b"-1",
        b"12abc",
        b"1e3",
        b"+5",
        b".5",
        b"x",
        b"1_0",
        b"0.1",
        b"1e-05",
        b"nonsense",
        b"3 3",
    )

    def stamp() -> bytes:
        return b"%d.%06d" % (1795319900 + random.randrange(100), random.randrange(10**6))

    out = []
    for _ in range(lines):
        address = b"<%b>" % random.choice(ADDRESSES)
        uid = random.choice((b"0", b"1007", b"?"))
        recipient = random.choice((b"local.", b"remote.")) + random.choice(ADDRESSES).lower()
        size = b"%d" % random.choice((1, 298, 2**33))
        qp = b"%d" % random.randrange(5)
        if random.random() < 0.3:
            counts = [b"%d" % random.randrange(4) for _ in range(3)]
            record = [b"m", stamp(), stamp(), size, *counts, address, qp, uid]
        else:
            result = random.choice((b"k", b"k", b"z", b"d"))
            reason = random.choice(REASONS)
            record = [b"d", result, stamp(), stamp(), stamp(), size, address, recipient, qp, uid, reason]
        if random.random() < 0.1:
            record[random.randrange(1, len(record))] = random.choice(odd)
        if random.random() < 0.03:
            del record[random.randrange(1, len(record)) :]
        blank = b" " if random.random() < 0.95 else random.choice((b"  ", b"\t", b" \t "))
        line = blank.join(record)
        out.append(line if random.random() < 0.97 else b"? " + line)
    return b"\n".join(out) + random.choice((b"", b"\n"))
