"""The queue of a real Sendmail 8.17: as its mailq shows it, as entries, and damaged.

``sendmail.tar.xz``: ``mq``, made by Sendmail (put off, quarantined, lost, cut off), ``mailq.txt``: what
``sendmail -bp`` and ``-bp -qQ`` printed.
"""

from __future__ import annotations

import re
import shutil
import time
from pathlib import Path

import othermtas
import pytest
from unpacking import by_id, mutated, spool, unpacked

from mailscope.queues.entry import QueueEntry
from mailscope.queues.registry import choose
from mailscope.queues.sendmail import content, reader
from mailscope.queues.sendmail.control import parse
from mailscope.vocabulary.errors import InputError, UsageError

QUARANTINED, LOST, CUT = "6ARJ4So7009254", "6ARJ4So7009255", "6ARIv5lD031551"


@pytest.fixture
def lab(tmp_path: Path) -> Path:
    return unpacked("sendmail", tmp_path)


def entries(lab: Path, *queues: str) -> dict[str, QueueEntry]:
    return by_id(reader.read(spool(lab / "mq", float((lab / "now").read_text()), *queues)))


def shown(text: str) -> dict[str, tuple[int, str, str, set[str]]]:
    """What mailq shows, by id: size, sender, reason, recipients."""
    return {
        found[1]: (
            int(found[2]),
            _bare(found[3]),
            found[4] or "",
            {each.strip() for each in found[5].splitlines()},
        )
        for found in re.finditer(
            r"^(6A\w+) +([0-9]+) \w{3} \w{3} [ 0-9]{2} [0-9:]{5} (\S*)\n(?:     QUARANTINE: .*\n)?"
            r"(?: {17}\((.*)\)\n)?((?:\t{5} .*\n)*)",
            text,
            re.MULTILINE,
        )
    }


def _bare(address: str) -> str:
    return address.removeprefix("<").removesuffix(">")


def ours(found: dict[str, QueueEntry]) -> dict[str, tuple[int, str, str, set[str]]]:
    return {
        queue_id: (
            entry.size_bytes,
            entry.sender or "",
            next((each.reason for each in entry.recipients), ""),
            {each.recipient for each in entry.recipients},
        )
        for queue_id, entry in found.items()
    }


def test_mailq_shows_the_same(lab: Path) -> None:
    theirs = shown((lab / "mailq.txt").read_text())
    assert len(theirs) == 4
    # Of the one that was cut off, the reason is lost with the recipients: an entry has it with those.
    size, sender, _, recipients = theirs[CUT]
    assert ours(entries(lab, "queue", "quarantined")) == theirs | {CUT: (size, sender, "", recipients)}


def test_beside_a_real_sendmail() -> None:
    with othermtas.sendmail() as sendmail:
        for number in range(4):
            words = [
                "-f",
                "alice@example.org",
                "-odq",
                f"a{number}@shut.example.org",
                '"x y"@shut.example.org',
            ]
            sendmail.run(*words, given=f"Subject: {number}\n\n" + "x\n" * number * 900)
        sendmail.run("-q", "-v")  # in the foreground
        found = by_id(reader.read(spool(sendmail.spool, time.time())))
        assert ours(found) == shown(sendmail.run("-bp").decode())
        assert len(found) == 4
        assert {each.attempts for each in found.values()} == {1}
        assert {each.reason for entry in found.values() for each in entry.recipients} == {
            "Deferred: Connection refused by [127.0.0.1]"
        }


def test_a_message_that_was_put_off(lab: Path) -> None:
    entry = entries(lab)["6ARIv5lD031550"]
    assert (entry.queue, entry.arrival_time, entry.attempts) == ("queue", 1795805825, 1)
    assert entry.last_attempt_time == 1795806074
    (one, other) = entry.recipients
    assert (one.recipient, one.status, one.relay_host) == ("a@shut.example.org", "deferred", "127.0.0.1")
    assert one.reason == other.reason == "Deferred: Connection refused by [127.0.0.1]"


def test_quarantined_and_lost(lab: Path) -> None:
    found = entries(lab)
    assert found[QUARANTINED].queue == "quarantined"
    assert found[QUARANTINED].reason == "quarantined: looks like spam"
    assert found[LOST].problems == ["its body (df) is missing"]
    assert list(entries(lab, "lost")) == [LOST]


def test_a_control_file_that_was_cut_off(lab: Path) -> None:
    entry = entries(lab)[CUT]
    assert entry.sender == "alice@exampl"
    assert entry.problems == ["its control file ends before its last line"]


def test_directories_of_queue_groups(lab: Path) -> None:
    inner = lab / "mq" / "qd1"
    for kind in ("qf", "df"):
        (inner / kind).mkdir(parents=True)
        shutil.move(lab / "mq" / f"{kind}6ARIw5hZ032153", inner / kind)
    entry = entries(lab)["6ARIw5hZ032153"]
    assert (entry.sender, entry.size_bytes) == ("", 10)
    assert entry.recipients[0].recipient == '"x y"@shut.example.org'


def test_a_header_is_decoded(lab: Path) -> None:
    found = content.content(lab / "mq" / f"hf{QUARANTINED}")
    assert ("Subject", "caf\xe9 folded") in [(name, " ".join(value.split())) for name, value in found.header]


@pytest.mark.parametrize(
    ("line", "version", "address"),
    [
        (b"RPFD:a@example.org", 8, b"a@example.org"),
        (b"RPFD:<a@example.org>", 4, b"a@example.org"),
        (b"R:a@example.org", 8, b"a@example.org"),
        (b'RPF:"a:b"@example.org', 8, b'"a:b"@example.org'),
        (b"R<a@example.org>", 0, b"a@example.org"),
    ],
)
def test_recipients_of_every_version(line: bytes, version: int, address: bytes) -> None:
    found = parse(b"V%d\nQRFC822; first@example.org\n%s\n.\n" % (version, line))
    assert found.recipients == [(address, b"first@example.org")]


def test_which_directory_is_one(lab: Path, tmp_path: Path) -> None:
    assert choose(lab / "mq", None)[0].name == "sendmail"
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(InputError, match="looks like no spool"):
        choose(empty, None)
    with pytest.raises(UsageError, match="no queue 'hold'"):
        entries(lab, "hold")


def test_damaged_files_are_read_as_far_as_they_go(lab: Path) -> None:
    mutated([path.read_bytes() for path in (lab / "mq").glob("[qhQ]f*")], parse)
