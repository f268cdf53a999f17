"""What we print of a queue is what Postfix' own programs printed of it, byte for byte."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from mailscope.queues.entry import Spool
from mailscope.queues.postfix import places, postcat, postqueue, qshape
from mailscope.queues.postfix.reader import read
from mailscope.queues.postfix.records import RecordError

FLAGS = {
    "b": "body",
    "h": "header",
    "e": "envelope",
    "d": "decimal",
    "o": "offsets",
    "v": "verbose",
    "r": "raw",
}
QUEUES = "(incoming|active|deferred|hold|corrupt|maildrop|default)"


def blocks(text: bytes) -> list[bytes]:
    """A listing's messages in an order of its own: tar and the file system do not keep theirs."""
    head, *rest = re.split(rb"\n(?=[0-9A-Za-z]{6,}[*!#]* +[0-9]+ |-- )", b"\n" + text)
    return [head, *sorted(rest)]


def test_mailq(lab: Path, asked: Callable[..., Spool]) -> None:
    ours = b"".join(line + b"\n" for line in postqueue.lines(asked(), ()))
    theirs = (lab / "golden/postqueue-p.txt").read_bytes()
    assert sorted(block.strip() for block in blocks(ours)) == sorted(
        block.strip() for block in blocks(theirs)
    )
    assert ours.splitlines()[0] == theirs.splitlines()[0]
    assert ours.splitlines()[-2:] == theirs.splitlines()[-2:]


def test_json(lab: Path, asked: Callable[..., Spool]) -> None:
    theirs = (lab / "golden/postqueue-j.json").read_bytes().splitlines()
    ours = list(postqueue.lines(asked(), ("json",)))
    assert sorted(ours) == sorted(theirs)
    # Queue after queue, as showq(8) goes through them.
    queue = re.compile(rb'"queue_name": "([a-z]+)"')
    named = [[match[1] for line in lines if (match := queue.search(line))] for lines in (ours, theirs)]
    assert named[0] == named[1]


def qshapes() -> list[str]:
    return [
        "active",
        "b4t1-deferred",
        "corrupt",
        "default",
        "deferred",
        "hold",
        "incoming",
        "incoming+active",
        "incoming+active+deferred+hold",
        "l-deferred",
        "m5-deferred",
        "maildrop",
        "s-active",
        "s-corrupt",
        "s-deferred",
        "s-hold",
        "s-incoming",
        "s-incoming+active",
        "s-incoming+active+deferred+hold",
        "s-maildrop",
        "w40n2p-deferred",
    ]


OPTIONS = {
    "": qshape.Options(),
    "s": qshape.Options(senders=True),
    "l": qshape.Options(linear=True),
    "m5": qshape.Options(least_subdomains=5),
    "b4t1": qshape.Options(buckets=4, tick=1),
    # A width of less than 80 columns is none; -n counts on a terminal only.
    "w40n2p": qshape.Options(parents=True),
}


@pytest.mark.parametrize("name", qshapes())
def test_qshape(lab: Path, asked: Callable[..., Spool], name: str) -> None:
    found = re.fullmatch(rf"(?:({'|'.join(filter(None, OPTIONS))})-)?({QUEUES}(?:\+{QUEUES})*)", name)
    assert found is not None
    queues = qshape.DEFAULT_QUEUES if found[2] == "default" else tuple(found[2].split("+"))
    spool = asked()
    shape = qshape.Shape(OPTIONS[found[1] or ""], spool.now)
    count = sum(1 for _ in qshape.read(spool, queues, shape))
    assert count == shape.messages
    lines = (lab / f"golden/qshape-{name}.txt").read_text().splitlines()
    theirs = [line for line in lines if not line.startswith("Use of uninitialized")]
    ours = shape.lines()
    # Rows of the same number and length of name come in the order of a Perl hash.
    assert ours[:2] == theirs[:2]
    assert sorted(ours) == sorted(theirs)
    assert [keys(line) for line in ours[2:]] == [keys(line) for line in theirs[2:]]


def keys(line: str) -> tuple[int, int]:
    name, total, *_ = line.split()
    return -int(total), len(name)


def test_postcat(lab: Path) -> None:
    seen = set()
    damaged = []
    for expected in sorted((lab / "golden/postcat").glob("*.txt")):
        name, flags = expected.stem.rsplit(".", 1)
        queue, dash, queue_id = name.rpartition("-")
        if dash:
            path = lab / "spool" / queue / queue_id
            label = f"/var/spool/postfix/{queue}/{queue_id}"
        else:
            found = places.Finder(lab / "spool").find(queue_id)
            assert found is not None
            path = found[1]
            label = path.relative_to(lab / "spool").as_posix()
        options = postcat.Options(**{FLAGS[flag]: True for flag in flags if flag in FLAGS})
        pieces: list[bytes] = []
        said: list[str] = []
        try:
            printer = postcat.Printer(path.read_bytes(), label, options, ZoneInfo("UTC"), said.append)
            pieces.extend(printer.pieces())
        except RecordError as error:
            said.append(str(error))
        theirs = [
            line
            for line in expected.read_bytes().splitlines(keepends=True)
            # What it says of its own start, and warnings, went to standard error.
            if not line.startswith(b"postcat: ")
        ]
        assert b"".join(pieces) == b"".join(theirs), expected.name
        seen.add(flags)
        damaged += [name] * bool(said)
    assert seen == {"q", "vq", "e", "h", "b", "o", "bh", "eh", "v"}
    assert damaged == ["corrupt-4jXFZZ0001zZ001", "corrupt-4jXFZZ0002zZ002"]


def test_every_file_is_read(asked: Callable[..., Spool]) -> None:
    found = {entry.queue_id: entry for entry in read(asked(*places.QUEUES))}
    assert len(found) == 85
    broken = {entry.queue_id: entry.problems for entry in found.values() if entry.problems}
    assert broken == {
        "4jXFZZ0001zZ001": ["it is no queue file"],
        "4jXFZZ0002zZ002": ["the file ends within a record at byte 513"],
    }
    told = found["4jXFbq3XyNzCb7Y"]
    assert (told.queue, told.sender, told.size_bytes) == ("active", "alice@lab.example", 349)
    assert [(each.recipient, each.status) for each in told.recipients] == [
        ("m1@refused.example", "deferred"),
        ("m2@refused.example", "deferred"),
        ("h9@hang.example", "waiting"),
        ("m3@aol-like.example", "done"),
        # The log has its address in quotes.
        ("odd addr@refused.example", "deferred"),
    ]
    assert told.recipients[0].reason.endswith("mx.refused.example[127.0.0.11]:25: Connection refused")
    assert found["3DF0C178055"].next_retry_time == 1795322749
    assert found["9297D178032"].reason.startswith("on hold")


def test_the_time_in_a_long_id(asked: Callable[..., Spool]) -> None:
    long = [entry for entry in read(asked()) if places.is_long(entry.queue_id)]
    assert len(long) > 40
    for entry in long:
        came = places.time_of(entry.queue_id)
        assert came is not None
        assert entry.arrival_time is not None
        # Mail that went through the queue again keeps the time at which it came first.
        assert -0.01 < came - entry.arrival_time < 700, entry.queue_id
    assert sum(abs((places.time_of(e.queue_id) or 0) - (e.arrival_time or 0)) < 0.1 for e in long) > 40
    assert places.time_of("3DF0C178055") is None
