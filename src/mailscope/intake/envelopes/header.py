"""The parts that every envelope gives, one row per line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import polars as pl

TIME: Final = pl.Datetime("us")

# How an instant was known; the names are those of the field ``time_quality``.
EXACT, ZONE_ASSUMED, YEAR_INFERRED, UNKNOWN = 0, 1, 2, 3
QUALITIES: Final = ("exact", "zone_assumed", "year_inferred,zone_assumed", "unknown")


@dataclass(frozen=True, slots=True)
class Header:
    """Lines taken apart.

    Exactly one of three tells the time: ``time`` (UTC, microseconds), ``local`` (a wall clock's
    reading with its year, to be put into the source's zone) or ``stamp`` (``Nov 22 04:00:42``, whose
    year is not known either).  ``tag`` holds the pid, as logged; ``pri`` is facility * 8 + severity.
    ``ok`` is None where every line was of the form.
    """

    host: pl.Series | str | None
    tag: pl.Series
    text: pl.Series
    time: pl.Series | None = None
    local: pl.Series | None = None
    stamp: pl.Series | None = None
    pri: pl.Series | None = None
    ok: pl.Series | None = None


def nulls(length: int, dtype: pl.DataType | type[pl.DataType] = pl.String) -> pl.Series:
    """A column of nulls."""
    return pl.Series([None], dtype=dtype).new_from_index(0, length)


def runs(column: pl.Series) -> tuple[pl.Series, pl.Series]:
    """The value of each run of equal values (null is one), and for each row the number of its run."""
    changed = column.ne_missing(column.shift())
    if len(changed):
        changed[0] = True
    return column.filter(changed), changed.cum_sum() - 1


def all_or_mask(ok: pl.Series) -> pl.Series | None:
    """None where the mask is true everywhere."""
    ok = ok.fill_null(False)
    return None if ok.all() else ok


def split_tag(rest: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Cut ``tag[pid]: text`` in two; lines without a tag have a null tag and keep their text.

    A tag ends at the first colon and holds no space, apart from one right before the colon
    (``qmail : text``).
    """
    tag, text = _cut(rest)
    odd = text.is_null() | tag.str.contains(" ", literal=True)
    if not odd.any():
        return tag, text
    return _split_odd_tag(rest, tag, text, odd)


def _cut(rest: pl.Series) -> tuple[pl.Series, pl.Series]:
    """What stands before and after the first ``: ``; without one, the whole and null.

    ``find`` and ``slice`` make views of the lines, ``splitn`` copies of them; but the former counts bytes
    and the latter characters, which agree only where what stands before is ASCII.
    """
    at = rest.str.find(": ", literal=True)
    tag, text = rest.str.slice(0, at), rest.str.slice(at + 2)
    apart = tag.str.len_bytes() != at
    if at.null_count():
        apart = apart.fill_null(True)
    if apart.any():
        rows = apart.arg_true()
        parts = rest.gather(rows).str.splitn(": ", 2).struct.unnest()
        tag, text = tag.scatter(rows, parts["field_0"]), text.scatter(rows, parts["field_1"])
    return tag, text


def _split_odd_tag(
    rest: pl.Series, tag: pl.Series, text: pl.Series, odd: pl.Series
) -> tuple[pl.Series, pl.Series]:
    rows = odd.arg_true()
    found = rest.gather(rows).str.extract_groups(r"^([^ :\[]+(?:\[[0-9]+\])?) ?:(?: (.*))?$").struct.unnest()
    known = found["1"].is_not_null()
    fixed = pl.select(
        tag=pl.when(known).then(found["1"]),
        text=pl.when(known).then(found["2"].fill_null("")).otherwise(rest.gather(rows)),
    )
    return tag.scatter(rows, fixed["tag"]), text.scatter(rows, fixed["text"])


def quality_words(quality: pl.Series | int) -> pl.Expr:
    """The words for how well instants are known; null where that is exactly."""
    words = {code: word for code, word in enumerate(QUALITIES) if code != EXACT}
    if isinstance(quality, int):
        return pl.lit(words.get(quality), pl.String)
    return pl.lit(quality).replace_strict(words, default=None, return_dtype=pl.String)
