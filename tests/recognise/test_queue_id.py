"""The queue id in front of a text: one text and a whole column give the same."""

from __future__ import annotations

import polars as pl
import pytest

from mailscope.recognise.queue_id import split_queue_id, split_queue_ids

CASES = {
    ("queue_id", "4B5C61F00D: removed"): ("4B5C61F00D", "removed"),
    ("queue_id", "NOQUEUE: reject: x"): (None, "reject: x"),
    ("queue_id", "warning: x"): (None, "warning: x"),
    ("sendmail", "6AQMAJb0000211: to=<a@example.org>"): ("6AQMAJb0000211", "to=<a@example.org>"),
    ("sendmail", "xA32R2PQ3529566: [192.0.2.2]: x"): ("xA32R2PQ3529566", "[192.0.2.2]: x"),
    ("sendmail", "NAA06239: stat=Sent"): ("NAA06239", "stat=Sent"),
    ("sendmail", "NOQUEUE: SYSERR(root): x"): (None, "SYSERR(root): x"),
    ("sendmail", "starting daemon (8.17.1.9): x"): (None, "starting daemon (8.17.1.9): x"),
    ("exim", "1xWhQ7-00002n-0S Completed"): ("1xWhQ7-00002n-0S", "Completed"),
    ("exim", "1xWhQ7-00000000Bck-0SfH Completed"): ("1xWhQ7-00000000Bck-0SfH", "Completed"),
    ("exim", "2026-11-22 04:00:42 1xWhQ7-00002n-0S Completed"): ("1xWhQ7-00002n-0S", "Completed"),
    ("exim", "2026-11-22 04:00:42.123 +0100 [71] Start queue run: pid=7"): (None, "Start queue run: pid=7"),
    ("exim", "[1/3] 2026-11-22 04:00:42 1xWhQ7-00002n-0S <= <>"): ("1xWhQ7-00002n-0S", "<= <>"),
    ("exim", "no host name found"): (None, "no host name found"),
}


@pytest.mark.parametrize(("strip", "text"), CASES)
def test_one_text(strip: str, text: str) -> None:
    assert split_queue_id(text, strip) == CASES[strip, text]


def test_columns_of_one_program_and_of_several() -> None:
    ways = [None, *dict.fromkeys(strip for strip, _ in CASES)]
    rows = [("", "1xWhQ7-00002n-0S is nobody's"), *CASES]
    wanted = [(None, "1xWhQ7-00002n-0S is nobody's"), *CASES.values()]
    reading = pl.Series([ways.index(strip or None) for strip, _ in rows], dtype=pl.UInt32)
    ids, rests = split_queue_ids(pl.Series([text for _, text in rows]), reading, ways)
    assert list(zip(ids, rests, strict=True)) == wanted
    for number, way in enumerate(ways[1:], 1):
        mine = [at for at, (strip, _) in enumerate(rows) if strip in ("", way)]
        texts = pl.Series([rows[at][1] for at in mine])
        places = pl.Series([number if rows[at][0] else 0 for at in mine], dtype=pl.UInt32)
        own_ways = [each if at in (0, number) else None for at, each in enumerate(ways)]
        ids, rests = split_queue_ids(texts, places, own_ways)
        assert list(zip(ids, rests, strict=True)) == [wanted[at] for at in mine]
