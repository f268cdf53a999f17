"""What daemons and container runtimes add to the usual forms of a line."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from running import NOW, UTC_ZONE

from mailscope.intake.clock import Clock
from mailscope.intake.envelopes.header import Header
from mailscope.intake.lines import parse_lines

TAG = "postfix/smtpd[2345]"
TEXT = "connect from unknown[192.0.2.1]"
LINE = f"Nov  2 04:00:42 mx1 {TAG}: {TEXT}"
MAIL_INFO = 2 * 8 + 6


def whole(header: Header, row: int = 0) -> tuple[Any, ...]:
    """Host, tag, text and priority of a line."""
    columns = (header.host, header.tag, header.text, header.pri)
    return tuple(column[row] if isinstance(column, pl.Series) else column for column in columns)


def instants(data: str, zone: ZoneInfo = UTC_ZONE) -> list[datetime | None]:
    clock = Clock("test", zone, NOW.replace(tzinfo=UTC_ZONE))
    return clock.instants(parse_lines(data.encode()).header)[0].to_list()


# Priorities behind the stamp


@pytest.mark.parametrize(
    "line",
    [
        f"Nov  2 04:00:42 <mail.info> mx1 {TAG}: {TEXT}",
        f"Nov  2 04:00:42 <2.6> mx1 {TAG}: {TEXT}",
        f"Nov  2 04:00:42 mx1 mail.info {TAG}: {TEXT}",
        f"Nov  2 04:00:42 mx1 mail:info {TAG}: {TEXT}",
        f"Nov  2 04:00:42 mx1 {TAG}: [ID 197553 mail.info] {TEXT}",
        f"2026-11-02T04:00:42+01:00 mx1 mail.info {TAG}: {TEXT}",
    ],
)
def test_priorities_behind_the_stamp(line: str) -> None:
    assert whole(parse_lines(line.encode()).header) == ("mx1", TAG, TEXT, MAIL_INFO)


def test_priorities_differ_from_line_to_line() -> None:
    lines = [
        f"Nov  2 04:00:42 <mail.info> mx1 {TAG}: {TEXT}",
        "Nov  2 04:00:43 <mail.warning> mx1 postfix/smtpd[9]: warning: x: y",
        "Nov  2 04:00:44 <2.4> mx1 last message repeated 2 times",
        "Nov  2 04:00:45 mx1 imapd: Connection, ip=[192.0.2.1]",
    ]
    header = parse_lines("\n".join(lines).encode()).header
    assert [whole(header, row) for row in range(4)] == [
        ("mx1", TAG, TEXT, 22),
        ("mx1", "postfix/smtpd[9]", "warning: x: y", 20),
        ("mx1", None, "last message repeated 2 times", 20),
        ("mx1", "imapd", "Connection, ip=[192.0.2.1]", None),
    ]


def test_severity_word_in_the_hosts_place() -> None:
    """bokysan/docker-postfix: its rsyslog template writes the severity, padded, and no host."""
    lines = [
        f"2026-11-02T04:00:42.1+00:00 INFO    {TAG}: {TEXT}",
        "2026-11-02T04:00:43.1+00:00 WARNING postfix/smtpd[9]: warning: x: y",
        "2026-11-02T04:00:44.1+00:00 mx1 postfix/smtpd[9]: warning: x: y",
    ]
    wanted = [
        (None, TAG, TEXT, None),
        (None, "postfix/smtpd[9]", "warning: x: y", None),
        ("mx1", "postfix/smtpd[9]", "warning: x: y", None),
    ]
    header = parse_lines("\n".join(lines).encode()).header
    assert [whole(header, row) for row in range(3)] == wanted
    for line, expected in zip(lines, wanted, strict=True):
        assert whole(parse_lines(line.encode()).header) == expected


@pytest.mark.parametrize("others", [[], ["Nov  2 04:00:43 mx1 a[1]: x"], ["Nov 2 04:00:43 mx1 a[1]: x"]])
def test_host_without_a_name(others: list[str]) -> None:
    header = parse_lines("\n".join([f"Nov  2 04:00:42 (none) {TAG}: {TEXT}", *others]).encode()).header
    assert whole(header) == ("(none)", TAG, TEXT, None)


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        # No such priority, or words of the message.
        ("Nov  2 04:00:42 mx1 mail.nonsense a[1]: x", ("mx1", None, "mail.nonsense a[1]: x", None)),
        (
            "Nov  2 04:00:42 mx1 last message repeated 2 times",
            ("mx1", None, "last message repeated 2 times", None),
        ),
        ("Nov  2 04:00:42 mx1 a[1]: [ID of somebody] x", ("mx1", "a[1]", "[ID of somebody] x", None)),
        ("Nov  2 04:00:42 <mail.nonsense> mx1 a[1]: x", ("mx1", "a[1]", "x", None)),
        ("Nov  2 04:00:42 <99.9> mx1 a[1]: x", ("mx1", "a[1]", "x", None)),
    ],
)
def test_what_only_looks_like_a_priority(line: str, wanted: tuple[Any, ...]) -> None:
    assert whole(parse_lines(line.encode()).header) == wanted


# Containers


@pytest.mark.parametrize(
    "prefix",
    [
        "postfix-1  | ",
        "mail.postfix_1    | ",
        "2026-11-02T03:00:42.000000123Z ",
        "postfix-1  | 2026-11-02T03:00:42.000000123Z ",
        "2026-11-02T04:00:42.000000123+01:00 stdout F ",
        "2026-11-02T04:00:42.5+01:00 stderr F ",
    ],
)
def test_what_a_container_runtime_writes_before_the_line(prefix: str) -> None:
    assert whole(parse_lines(f"{prefix}{LINE}".encode()).header) == ("mx1", TAG, TEXT, None)
    assert whole(parse_lines(f"{prefix}<22>{LINE}".encode()).header) == ("mx1", TAG, TEXT, MAIL_INFO)


@pytest.mark.parametrize("prefix", ["smtp_1   | ", "2026-11-02T03:00:42.000000123Z "])
def test_an_image_that_leaves_the_stamp_out(prefix: str) -> None:
    assert whole(parse_lines(f"{prefix}{TAG}: {TEXT}".encode()).header) == (None, TAG, TEXT, None)
    assert whole(parse_lines(f"{prefix}error: no tag".encode()).header) == (None, None, "error: no tag", None)


def test_the_runtime_stamp_wins() -> None:
    """It has year and zone; a line without one keeps its own stamp."""
    data = f"Attaching to postfix-1\npostfix-1  | {LINE}\n2026-11-02T02:00:42.250000000Z {LINE}\n{LINE}\n"
    own, runtime = datetime(2026, 11, 2, 4, 0, 42), datetime(2026, 11, 2, 2, 0, 42, 250000)
    assert instants(data)[1:] == [own, runtime, own]
    header = parse_lines(data.encode()).header
    assert [whole(header, row)[1] for row in range(4)] == [None, TAG, TAG, TAG]


def test_a_prefix_is_taken_off_once() -> None:
    assert whole(parse_lines(("a | " * 20_000 + LINE).encode()).header)[1] is None
    assert whole(parse_lines(f"a | b | {LINE}".encode()).header) == (None, None, f"b | {LINE}", None)


@pytest.mark.parametrize("line", ["a |b", "| x", "2026-11-02T03:00:42.123Z stdout P Nov  2", "a b | c"])
def test_what_only_looks_like_a_container(line: str) -> None:
    header = parse_lines(line.encode()).header
    assert not str(whole(header)[2]).startswith("Nov")
    assert line.endswith(whole(header)[2])


# journalctl -o short-full


@pytest.mark.parametrize(
    ("zone", "wanted"),
    [
        ("UTC", datetime(2026, 11, 2, 4, 0, 42)),
        ("GMT", datetime(2026, 11, 2, 4, 0, 42)),
        ("+03", datetime(2026, 11, 2, 1, 0, 42)),
        ("-0330", datetime(2026, 11, 2, 7, 30, 42)),
        # A short name tells no offset for certain; the reader's zone does.
        ("CET", datetime(2026, 11, 2, 9, 0, 42)),
    ],
)
def test_journal_in_full(zone: str, wanted: datetime) -> None:
    line = f"Mon 2026-11-02 04:00:42 {zone} mx1 {TAG}: {TEXT}"
    assert whole(parse_lines(line.encode()).header) == ("mx1", TAG, TEXT, None)
    assert instants(line, ZoneInfo("America/New_York")) == [wanted]


def test_journal_in_full_among_other_lines() -> None:
    lines = [
        f"Mon 2026-11-02 04:00:42 UTC mx1 {TAG}: {TEXT}",
        f"2026-11-02T04:00:42+01:00 mx1 {TAG}: {TEXT}",
        f"2026-11-02 04:00:42 mx1 {TAG}: {TEXT}",
    ]
    header = parse_lines("\n".join(lines).encode()).header
    assert [whole(header, row) for row in range(3)] == [("mx1", TAG, TEXT, None)] * 3
    four, three = datetime(2026, 11, 2, 4, 0, 42), datetime(2026, 11, 2, 3, 0, 42)
    assert instants("\n".join(lines)) == [four, three, four]
