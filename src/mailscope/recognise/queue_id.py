"""Taking the queue id off the front of a text, in the ways of several MTAs.

    4B5C61F00D: removed                              Postfix; ``NOQUEUE: `` where there is none
    wAM40g12012345: to=<alice@example.org>, ...      Sendmail
    1xWhQ7-00002n-0S Completed                       Exim; 1xWhQ7-00000000Bck-0SfH from 4.97 on
    2026-11-22 04:00:42 1xWhQ7-00002n-0S Completed   Exim by way of syslog, with the stamp of its own files

A program's file names its way in ``strip``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

import polars as pl

from mailscope.recognise.tokens import TOKENS
from mailscope.vocabulary.columns import take


@dataclass(frozen=True)
class Strip:
    """How the front of a text looks, in RE2/Rust syntax.

    ``regex``: group 1 is all that is taken off, group 2 the id.  ``fast`` is the same for whole logs, where
    it may be looser.
    """

    regex: str
    fast: str


NO_QUEUE: Final = "NOQUEUE"
# A capital hex digit or digit, then neither '_' nor a small vowel: every Postfix queue id is so, no
# word that Postfix writes before a colon is.
_POSTFIX_FAST: Final = "^(([0-9A-F][0-9A-Zb-df-hj-np-tv-z]{5,}|NOQUEUE): )"
_SENDMAIL: Final = f"^(({TOKENS['sendmail_id']}|NOQUEUE): )"
# syslog_timestamp; "[1/3] ", where an entry is too long for one line of syslog; log_selector = +pid.
_EXIM: Final = (
    r"^((?:\[1[\\/][0-9]+\] )?"
    r"(?:[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{3})?(?: [+-][0-9]{4})? )?"
    rf"(?:\[[0-9]+\] )?(?:({TOKENS['exim_id']}) )?)"
)
STRIPS: Final[dict[str, Strip]] = {
    "queue_id": Strip(f"^(({TOKENS['queue_id']}|NOQUEUE): )", _POSTFIX_FAST),
    "sendmail": Strip(_SENDMAIL, _SENDMAIL),
    "exim": Strip(_EXIM, _EXIM),
}
_COMPILED: Final = {name: re.compile(strip.regex) for name, strip in STRIPS.items()}


def split_queue_id(text: str, strip: str = "queue_id") -> tuple[str | None, str]:
    """``("4B5C61F00D", rest)``, or ``(None, rest)`` after NOQUEUE and where there is no id."""
    found = _COMPILED[strip].match(text)
    if found is None:
        return None, text
    return (None if found[2] == NO_QUEUE else found[2]), text[found.end() :]


def split_queue_ids(
    text: pl.Series, row_reading: pl.Series, ways: list[str | None]
) -> tuple[pl.Series, pl.Series]:
    """The same for a column: queue ids (null for none and for NOQUEUE) and the texts after them.

    ``row_reading`` tells each row's place in ``ways``, the first of which is for lines that nobody knows.
    """
    used = [way for way in STRIPS if way in ways]
    blank = pl.Series("queue_id", [None], dtype=pl.String).new_from_index(0, len(text))
    if not used:
        return blank, text
    if len(used) == 1:
        # The usual case: one MTA's log, perhaps with lines of other programs.
        every = None not in ways[1:] and row_reading.min() != 0
        mine = None if every else take(pl.Series([way is not None for way in ways]), row_reading)
        return _cut(text, used[0], mine)
    queue_id, rest = blank, text.clone()
    for way in used:
        rows = take(pl.Series([other == way for other in ways]), row_reading).arg_true()
        ids, rests = _cut(take(text, rows), way, None)
        queue_id, rest = queue_id.scatter(rows, ids), rest.scatter(rows, rests)
    return queue_id, rest


def _cut(text: pl.Series, way: str, mine: pl.Series | None) -> tuple[pl.Series, pl.Series]:
    """The same in one program's way; only for the lines that are ``mine`` (None: for all)."""
    regex = STRIPS[way].fast
    if way == "exim":
        # What is taken off is more than the id, and may be there without one.
        front = text.str.extract(regex, 1).str.len_bytes().cast(pl.Int64).fill_null(0)
        queue_id = text.str.extract(regex, 2)
    else:
        queue_id = text.str.extract(regex, 2)
        front = (queue_id.str.len_bytes().cast(pl.Int64) + 2).fill_null(0)
    if mine is not None:
        queue_id = pl.select(pl.when(mine).then(queue_id)).to_series()
        front = pl.select(pl.when(mine).then(front).otherwise(0)).to_series()
    both = pl.select(
        pl.when(queue_id != NO_QUEUE).then(queue_id).alias("queue_id"), text.str.slice(front).alias("rest")
    )
    return both["queue_id"], both["rest"]
