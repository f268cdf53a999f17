"""What the receiver says of its troubles is read by its own pattern file."""

from __future__ import annotations

import pytest

from mailscope.recognise.explain import explain_line
from mailscope.syslog.receiver.counts import KINDS, Counts
from mailscope.syslog.receiver.notices import AGAIN_US, LASTING_US, Notices, problems

NAME = "udp 0.0.0.0:514"
NOW = 1_795_773_600_000_000


@pytest.mark.parametrize("detail", ["", "192.0.2.7: mx1.example.org, 192.0.2.9", "a\nb: 7 messages lost: x"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_trouble_is_an_event_with_its_count(kind: str, detail: str) -> None:
    counts = Counts()
    counts.add(kind, 17, NOW, detail)
    (line,) = Notices(b"mx1").lines(NAME, counts, NOW)
    assert b"\n" not in line
    told = explain_line(line.decode())
    assert told["event"] == ("lines_lost" if KINDS[kind].lost else "warned")
    fields, envelope = told["fields"], told["envelope"]
    assert (fields["subject_service"], fields["value"]) == ("receiver", 17)
    assert fields["reason"].startswith(KINDS[kind].words)
    assert [envelope[name] for name in ("program", "host", "facility", "severity")] == [
        "mailscope",
        "mx1",
        "syslog",
        "warning",
    ]


def test_each_loss_is_told_once_and_not_too_often() -> None:
    counts, notices = Counts(), Notices(b"mx1")
    assert notices.lines(NAME, counts, NOW) == []
    counts.add("kernel", 5, NOW)
    assert b": 5 messages lost" in notices.lines(NAME, counts, NOW)[0]
    assert notices.lines(NAME, counts, NOW + AGAIN_US) == []
    counts.add("kernel", 2, NOW)
    assert notices.lines(NAME, counts, NOW + AGAIN_US - 1) == []
    assert b": 2 messages lost" in notices.lines(NAME, counts, NOW + AGAIN_US)[0]
    counts.add("kernel", 1, NOW)
    assert b": 1 messages lost" in notices.lines(NAME, counts, NOW + AGAIN_US + 1, at_once=True)[0]


def test_problems_are_those_of_just_now() -> None:
    counts = Counts()
    counts.add("kernel", 5, NOW)
    counts.add("truncated", 1, NOW - LASTING_US - 1, "192.0.2.7")
    assert list(problems({NAME: counts}, NOW)) == [
        f"{NAME}: 5 messages lost: the kernel's buffer was full; the last at 2026-11-27 10:00:00+00:00"
    ]
    assert list(problems({NAME: counts}, NOW + LASTING_US + 1)) == []
