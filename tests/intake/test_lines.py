"""Bytes into lines: where lines end, what is blank, and lines of several envelopes side by side."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import polars as pl
import pytest

from mailscope.intake.lines import Lines, parse_lines, split_lines

BSD = b"Nov 22 04:00:42 mx1 postfix/qmgr[812]: 4FA1B2C3D4: removed"
GLUED = (
    b"Apr 11 02:02:18 mail qmail: 955436538.813320 new msg 18995"
    b" Apr 11 02:02:18 mail qmail: 955436538.815787 end msg 18995"
)


def texts(lines: Lines) -> list[str]:
    return lines.header.text.to_list()


def places(lines: Lines) -> list[int]:
    """Where in the chunk the lines stand."""
    return list(range(len(lines.raw))) if lines.number is None else lines.number.to_list()


def column(lines: Lines, name: str) -> list[Any]:
    """A part of the header, line by line."""
    value = getattr(lines.header, name)
    return value.to_list() if isinstance(value, pl.Series) else [value] * len(lines.raw)


# Where a line ends


@pytest.mark.parametrize(
    ("data", "lines"),
    [
        (b"", []),
        (b"\n", [""]),
        (b"a\nb\n", ["a", "b"]),
        (b"a\nb", ["a", "b"]),
        (b"a\r\nb\r\n", ["a", "b"]),
        (b"a\n\nb\n\n", ["a", "", "b", ""]),
        (b"a\rb\x0bc\x0cd\x1ce\xc2\x85f\xe2\x80\xa8g\n", ["a\rb\x0bc\x0cd\x1ce\x85f\u2028g"]),
        (b"a\x00b\n\x00\n", ["a\x00b", "\x00"]),
        (b"caf\xe9 \xff\xfe\n\xc3\xa9\n", ["caf\ufffd \ufffd\ufffd", "é"]),
        (b"\xef\xbb\xbfa\nb\n\xef\xbb\xbfc\n", ["a", "b", "c"]),
        (b"a \xef\xbb\xbfb\n", ["a \ufeffb"]),
        (b"a\n\xef\xbb\xbf", ["a", ""]),
        (b"a \xef\xbb\xbf", ["a \ufeff"]),
    ],
)
def test_only_a_line_feed_ends_a_line(data: bytes, lines: list[str]) -> None:
    assert split_lines(data).to_list() == lines


@pytest.mark.parametrize(
    "start", [b"x\x01", b"x^", b"x\x9c", b"x\xda", b"\x1f\x8b\x08", b"\x28\xb5\x2f\xfd", b"BZh9"]
)
def test_lines_that_begin_like_an_archive_are_lines(start: bytes) -> None:
    """Polars unpacks what looks like a zlib stream; a chunk may begin anywhere in a log."""
    data = start + b" first\nsecond\n"
    assert split_lines(data).to_list() == [(start + b" first").decode(errors="replace"), "second"]


# What is counted


def test_blank_lines_are_counted_and_left_out() -> None:
    lines = parse_lines(b"\n" + BSD + b"\n \t \r\n\n" + BSD + b"\n\n")
    assert (lines.total, lines.blank, len(lines.raw)) == (6, 4, 2)
    assert places(lines) == [1, 4]


def test_only_blank_lines() -> None:
    lines = parse_lines(b"\n\n  \n")
    assert (lines.total, lines.blank, len(lines.raw)) == (3, 3, 0)
    assert texts(lines) == []


def test_a_line_that_only_begins_with_white_space_is_kept() -> None:
    lines = parse_lines(b"  indented\n" + BSD)
    assert lines.raw.to_list() == ["  indented", BSD.decode()]
    assert lines.blank == 0


def test_two_records_in_one_line_are_cut_in_two() -> None:
    lines = parse_lines(b"\n" + BSD + b"\n" + GLUED + b"\n" + BSD + b"\n")
    assert texts(lines) == ["4FA1B2C3D4: removed", "new msg 18995", "end msg 18995", "4FA1B2C3D4: removed"]
    assert (lines.total, lines.glued, lines.blank) == (4, 1, 1)
    assert places(lines) == [1, 2, 2, 3]
    assert column(lines, "time")[1:3] == [
        datetime(2000, 4, 11, 7, 2, 18, 813320), datetime(2000, 4, 11, 7, 2, 18, 815787)
    ]  # fmt: skip


def test_a_very_long_line() -> None:
    lines = parse_lines(BSD + b"\n" + b"x" * 10_000_000 + b"\n" + BSD)
    assert [len(raw) for raw in lines.raw] == [len(BSD), 10_000_000, len(BSD)]
    assert column(lines, "tag") == ["postfix/qmgr[812]", None, "postfix/qmgr[812]"]


# Several envelopes in one chunk

MIXED: list[tuple[bytes, str | None, str | None, str]] = [
    (BSD, "mx1", "postfix/qmgr[812]", "4FA1B2C3D4: removed"),
    (b"2026-11-22T04:00:42.186609+00:00 mx2 postfix/qmgr[812]: ABCDEF0123: removed", "mx2", "postfix/qmgr[812]", "ABCDEF0123: removed"),
    (b"<22>1 2026-11-22T04:00:42Z mx3 postfix/qmgr 812 - - ABCDEF0123: removed", "mx3", "postfix/qmgr[812]", "ABCDEF0123: removed"),
    (b"@400000006b0268933283b97c new msg 7", None, None, "new msg 7"),
    (b"1092664405.514548 end msg 7", None, None, "end msg 7"),
    (b"<22>Nov 22 04:00:43 mx4 postfix/smtpd[9]: connect from unknown[192.0.2.1]", "mx4", "postfix/smtpd[9]", "connect from unknown[192.0.2.1]"),
    (b"<mail.info>Nov 22 04:00:43 mx4 postfix/smtpd[9]: x", "mx4", "postfix/smtpd[9]", "x"),
    (b"no stamp at all", None, None, "no stamp at all"),
    (b"16 15:53:25 server splogger: 1092664405.519292 tcpserver: pid 590", "server", "splogger", "tcpserver: pid 590"),
    (b"2013 Jun 10 06:27:30.123 mx5 postfix/qmgr[1]: y", "mx5", "postfix/qmgr[1]", "y"),
]  # fmt: skip


@pytest.mark.parametrize("turn", range(len(MIXED)))
def test_lines_of_many_forms_in_one_chunk(turn: int) -> None:
    """Whichever form stands first."""
    wanted = MIXED[turn:] + MIXED[:turn]
    lines = parse_lines(b"\r\n".join(line for line, *_ in wanted) + b"\r\n")
    assert column(lines, "host") == [host for _, host, _, _ in wanted]
    assert column(lines, "tag") == [tag for _, _, tag, _ in wanted]
    assert texts(lines) == [text for *_, text in wanted]


@pytest.mark.parametrize(
    "late",
    [
        b"2026-11-22T04:00:42.186609+00:00 stdout F Nov 22 04:00:42 mx1 postfix/qmgr[812]: 4FA1B2C3D4: removed",
        b"2026-11-22T04:00:42.186609123Z Nov 22 04:00:42 mx1 postfix/qmgr[812]: 4FA1B2C3D4: removed",
        b"2026-11-22T04:00:42.186609+00:00 mx1 postfix/qmgr[812]: [ID 197553 mail.info] 4FA1B2C3D4: removed",
        b"2026-11-22T04:00:42.186609+00:00 <mail.info> mx1 postfix/qmgr[812]: 4FA1B2C3D4: removed",
        b"2026-11-22T04:00:42.186609+00:00 mx1 mail.info postfix/qmgr[812]: 4FA1B2C3D4: removed",
    ],
)
def test_one_line_of_another_form_after_many(late: bytes) -> None:
    usual = b"2026-11-22T04:00:42.186609+00:00 mx1 postfix/qmgr[812]: 4FA1B2C3D4: removed\n"
    lines = parse_lines(usual * 300 + late + b"\n" + usual)
    assert set(texts(lines)) == {"4FA1B2C3D4: removed"}
    assert set(column(lines, "tag")) == {"postfix/qmgr[812]"}


def test_a_stamp_by_splogger_is_the_better_one() -> None:
    lines = parse_lines(b"Apr 11 02:02:18 mail qmail: 955436538.813320 new msg 18995\n" + BSD)
    assert column(lines, "time") == [datetime(2000, 4, 11, 7, 2, 18, 813320), None]
    assert texts(lines) == ["new msg 18995", "4FA1B2C3D4: removed"]


def test_a_stamp_in_the_text_of_a_tagged_daemon_is_text() -> None:
    lines = parse_lines(b"Apr 11 02:02:18 mail postfix/smtpd[1]: 955436538.813320 new msg 18995\n")
    assert lines.header.time is None
    assert texts(lines) == ["955436538.813320 new msg 18995"]


def test_the_continuation_of_a_long_line_keeps_its_mark() -> None:
    """splogger writes "+" in place of the space; without it "end msg 1" would be taken for an event."""
    lines = parse_lines(b"Apr 11 02:02:18 mail qmail: 955436538.813320+end msg 1\n955436538.813320+end msg 1")
    assert texts(lines) == ["+end msg 1", "+end msg 1"]
    assert column(lines, "time") == [datetime(2000, 4, 11, 7, 2, 18, 813320)] * 2


@pytest.mark.parametrize(
    "stamp", ["Jan 01 00:00:00", "2026-01-01 00:00:00", "2026-01-01T00:00:00+00:00", "2026 Jan 01 00:00:00"]
)
@pytest.mark.parametrize("text", ["lmtp(4711, alice): Info: x", "imap(a b)<1><s>: Info: x"])
def test_a_word_with_a_parenthesis_is_no_host(stamp: str, text: str) -> None:
    line = f"{stamp} {text}"
    for other in (line, f"{stamp} mail postfix/smtpd[1]: x"):
        header = parse_lines(f"{line}\n{other}".encode()).header
        assert header.text[0] == text
        assert header.tag[0] is None
        assert header.host is None or isinstance(header.host, str) or header.host[0] is None
