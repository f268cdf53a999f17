"""Priorities in front of a line."""

from __future__ import annotations

import polars as pl
import pytest

from mailscope.intake import priority
from mailscope.intake.lines import parse_lines


@pytest.mark.parametrize(
    ("line", "pri", "rest"),
    [
        ("<22>Nov 22 x", 22, "Nov 22 x"),
        ("<0>x", 0, "x"),
        ("<191>x", 191, "x"),
        ("<22> mail.info Nov 22 x", 22, "Nov 22 x"),
        ("<22>mail.info Nov 22 x", 22, "Nov 22 x"),
        ("<mail.info>x", 22, "x"),
        ("<mail.err> x", 19, "x"),
        ("<mail.error>x", 19, "x"),
        ("<mail.warn>x", 20, "x"),
        ("<kern.panic>x", 0, "x"),
        ("<local7.debug>x", 191, "x"),
        # Beyond what facilities and severities give: taken off, but no priority.
        ("<192>x", None, "x"),
        ("<999>x", None, "x"),
        # None at all.
        ("<a@example.org>: x", None, "<a@example.org>: x"),
        ("<mx.example> x", None, "<mx.example> x"),
        ("<22>mx1.example x", 22, "mx1.example x"),
        ("<1234>x", None, "<1234>x"),
        ("<>x", None, "<>x"),
        ("x <22>", None, "x <22>"),
    ],
)
def test_taking_a_priority_off(line: str, pri: int | None, rest: str) -> None:
    numbers, rests = priority.strip(pl.Series([line]))
    assert (numbers[0], rests[0]) == (pri, rest)


def test_names() -> None:
    facility, severity = priority.names(pl.Series([22, 19, 191, 0, None], dtype=pl.Int64))
    assert facility.to_list() == ["mail", "mail", "local7", "kern", None]
    assert severity.to_list() == ["info", "err", "debug", "emerg", None]


@pytest.mark.parametrize("first", range(5))
def test_lines_with_and_without_priority(first: int) -> None:
    lines = [
        (b"<22>Nov 22 04:00:42 mx1 a[1]: x", 22, "x"),
        (b"<mail.err>2026-11-22T04:00:42Z mx1 a[1]: y", 19, "y"),
        (b"<20>1 2026-11-22T04:00:42Z mx1 a 1 - - z", 20, "z"),
        (b"Nov 22 04:00:42 mx1 a[1]: u", None, "u"),
        (b"<21>Nov 22 04:00:42 mx1 a[1]: <22>v", 21, "<22>v"),
    ]
    lines = lines[first:] + lines[:first]
    header = parse_lines(b"\n".join(line for line, _, _ in lines)).header
    assert header.pri is not None
    assert header.pri.to_list() == [pri for _, pri, _ in lines]
    assert header.text.to_list() == [text for _, _, text in lines]


def test_only_one_priority_is_taken_off() -> None:
    for count in (1, 2):
        header = parse_lines(b"<22><19>Nov 22 04:00:42 mx1 a[1]: x\n" * count).header
        assert header.pri is not None
        assert header.pri.to_list() == [22] * count
        assert header.text.to_list() == ["<19>Nov 22 04:00:42 mx1 a[1]: x"] * count
