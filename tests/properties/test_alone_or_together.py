"""A line is read the same whether it stands alone or among lines of any other form."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st
from running import examples

from mailscope.intake.lines import Lines, parse_lines

EXAMPLES = Path(__file__).parents[2] / "examples"
STAMPS = (
    b"Nov 22 04:00:42", b"Nov  2 04:00:42", b"Nov 2 04:00:42", b"Nov 22 2026 04:00:42", b"Nov 22 04:00:42.5", b"16 15:53:25",
    b"2026-11-22T04:00:42.186609+00:00", b"2026-11-22T04:00:42.186+01:00", b"2026-11-22 04:00:42", b"2026-11-22 04:00:42,186",
    b"2013 Jun 10 06:27:30.123", b"2026-11-22T04:00:42Z", b"2026-11-22 03:59:04.407222500", b"1092664405.514548",
    b"@400000006b0268921845b8e4", b"Nov 31 25:00:00", b"2026-02-30T04:00:42Z", b"Sun 2026-11-22 04:00:42 CET",
    b"Sun 2026-11-22 04:00:42 UTC", b"2026-11-22T04:00:42.186609123Z", b"2026-11-22T04:00:42.186609123Z Nov 22 04:00:42",
    b"2026-11-22T04:00:42.186609+00:00 stdout F Nov 22 04:00:42", b"postfix-1  | Nov 22 04:00:42",
    b"ao\xc3\xbbt 22 04:00:42", b"Okt 22 04:00:42", b"11\xe6\x9c\x88 22 04:00:42", b"d\xc3\xa9c.  2 04:00:42", b"mai 2 04:00:42",
)  # fmt: skip
PRIORITIES = (b"", b"", b"", b"<22>", b"<mail.info>", b"<22> mail.info ", b"<999>", b"<x.y>")
HOSTS = (b" mx1 ", b" mx2 ", b" mx1 ", b" ", b" caf\xc3\xa9 ", b" <mail.info> mx1 ", b" <2.6> mx1 ")
TAGS = (
    b"postfix/qmgr[812]: ",
    b"mail.info postfix/qmgr[812]: ",
    b"postfix/qmgr[812]: [ID 197553 mail.info] ",
    b"qmail: ",
    b"qmail : ",
    b"splogger: tcpserver: ",
    b"no tag ",
    b"a[1]:",
    b"",
)
TEXTS = (
    b"4FA1B2C3D4: removed", b"1092664405.514548 new msg 7", b"1092664405.514548+end msg 7", b"status: local 0/10 remote 0/20",
    b"caf\xe9 \xc3\xa9", b"", b"Nov 22 04:00:43 mx1 qmail: 1092664405.514548 end msg 7", b"\x00\x01\x7f",
)  # fmt: skip
RFC5424 = (
    b"<22>1 2026-11-22T04:00:42Z mx1 app 9 - - text",
    b"<22>1 - - - - - -",
    b'<22>1 2026-11-22T04:00:42.5+01:00 mx1 app - - [a b="\\]"] \xef\xbb\xbftext',
    b"<22>1 2026-11-22T04:00:42Z mx1 app",
)
JSON = (
    b'{"log":"Nov 22 04:00:42 mx1 postfix/qmgr[812]: 4FA1B2C3D4: removed\\n","stream":"stdout","time":"2026-11-22T04:00:42.186609123Z"}',
    b'{"log":"postfix/qmgr[812]: 4FA1B2C3D4: removed\\n","stream":"stderr","time":"2026-11-22T04:00:42Z"}',
    b'{"log":"bare","stream":"stderr"}', b'{"log":"bare', b'{"log":7}', b'{"log":""}', b"{}",
    b'{"MESSAGE":"4FA1B2C3D4: removed","__REALTIME_TIMESTAMP":"1795319942186609","SYSLOG_IDENTIFIER":"postfix/qmgr","_PID":"812","_HOSTNAME":"mx1","PRIORITY":"6","SYSLOG_FACILITY":"2"}',
    b'{ "__REALTIME_TIMESTAMP" : "1795319942186609", "MESSAGE" : [99,97,102,233] }', b'{"MESSAGE":"no time"}',
)  # fmt: skip


def real_lines() -> list[bytes]:
    """Some lines of every kind from the examples."""
    lines: list[bytes] = []
    for name in ("postfix/mail.log", "qmail/maillog", "qmail/multilog/current"):
        lines += (EXAMPLES / name).read_bytes().split(b"\n")[:300:7]
    return lines


made = st.builds(
    lambda *parts: b"".join(parts),
    st.sampled_from(PRIORITIES), st.sampled_from(STAMPS), st.sampled_from(HOSTS), st.sampled_from(TAGS), st.sampled_from(TEXTS),
)  # fmt: skip
whole = st.one_of(
    made,
    made,
    st.sampled_from(RFC5424),
    st.sampled_from(JSON),
    st.sampled_from(real_lines()),
    st.binary(max_size=30),
)


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A line with a byte or two changed, left out or doubled."""
    line = bytearray(draw(whole))
    for _ in range(draw(st.integers(1, 2))):
        if line:
            at = draw(st.integers(0, min(len(line) - 1, 70)))
            line[at : at + draw(st.integers(0, 1))] = draw(st.binary(max_size=2))
    return bytes(line)


one_line = st.one_of(whole, whole, damaged()).map(lambda line: line.replace(b"\n", b" "))


def records(lines: Lines) -> list[dict[str, Any]]:
    """The parts of every line."""
    columns = {}
    for name in ("host", "tag", "text", "time", "local", "stamp", "pri"):
        value = getattr(lines.header, name)
        columns[name] = value.to_list() if isinstance(value, pl.Series) else [value] * len(lines.raw)
    columns["raw"] = lines.raw.to_list()
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


@settings(max_examples=examples(120), deadline=None)
@given(st.lists(one_line, max_size=12))
def test_a_line_is_read_the_same_in_any_company(lines: list[bytes]) -> None:
    together = parse_lines(b"\n".join(lines))
    alone = [parse_lines(line + b"\n") for line in lines if line]
    assert records(together) == [record for parsed in alone for record in records(parsed)]
    assert together.glued == sum(parsed.glued for parsed in alone)
    empty_end = bool(lines) and not lines[-1]
    assert together.total == len(lines) - empty_end
    assert together.total + together.glued == len(together.raw) + together.blank
