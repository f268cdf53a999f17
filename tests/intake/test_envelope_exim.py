"""Exim's own log files: a stamp and the text, alone and among lines of other programs."""

from __future__ import annotations

from datetime import datetime

import pytest

from mailscope.intake.lines import parse_lines

ID = "1xWhQ7-00002n-0S"
LINES = {
    f"2026-11-22 04:00:42 {ID} Completed": ("exim", f"{ID} Completed"),
    f"2026-11-22 04:00:42.123 [71] {ID} <= <> R=x T=\"a: b\"": ("exim[71]", f"{ID} <= <> R=x T=\"a: b\""),
    "2026-11-22 04:00:42 1xWhQ7-00000000Bck-0SfH == a@example.org R=x defer (-1): y": (
        "exim",
        "1xWhQ7-00000000Bck-0SfH == a@example.org R=x defer (-1): y",
    ),
    "2026-11-22 04:00:42 Start queue run: pid=7": ("exim", "Start queue run: pid=7"),
    "2026-11-22 04:00:42 H=(x) [192.0.2.7] rejected EHLO or HELO x: no": (
        "exim",
        "H=(x) [192.0.2.7] rejected EHLO or HELO x: no",
    ),
    "2026-11-22 04:00:42 plain authenticator failed for [192.0.2.7]: 535 no": (
        "exim",
        "plain authenticator failed for [192.0.2.7]: 535 no",
    ),
}  # fmt: skip


@pytest.mark.parametrize("line", LINES)
def test_one_line(line: str) -> None:
    header = parse_lines(f"{line}\n".encode()).header
    assert (header.host, header.tag[0], header.text[0]) == (None, *LINES[line])
    assert header.local is not None
    assert header.local[0].replace(microsecond=0) == datetime(2026, 11, 22, 4, 0, 42)


def test_a_zone_of_its_own() -> None:
    header = parse_lines(f"2026-11-22 04:00:42 +0130 {ID} Completed\n".encode()).header
    assert header.time is not None
    assert header.time[0] == datetime(2026, 11, 22, 2, 30, 42)


def test_among_other_lines() -> None:
    other = "2013-06-10 06:27:30,123 mail postfix/qmgr[2]: 4B5C61F00D: removed"
    iso = "2026-11-22 04:00:42 mail smtpd[7]: info: OpenSMTPD 6.8.0p2 starting"
    for first in (*LINES, other, iso, "P Received: from x"):
        lines = [first, *(line for line in (*LINES, other, iso) if line != first)]
        header = parse_lines("".join(f"{line}\n" for line in lines).encode()).header
        known = dict(zip(lines, zip(header.tag, header.text, strict=True), strict=True))
        assert {line: known[line] for line in LINES} == LINES
        assert known[other] == ("postfix/qmgr[2]", "4B5C61F00D: removed")
        assert known[iso] == ("smtpd[7]", "info: OpenSMTPD 6.8.0p2 starting")
