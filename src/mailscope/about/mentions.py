"""Which lines are about the subject.

An IP address, a mail address or a domain is one that the raw line mentions, wherever; a network is told by
the fields that hold addresses; a user by the fields that hold names, and in a line that no pattern knows by
the word.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from mailscope.about.subject import Subject
from mailscope.recognise.events import Events
from mailscope.vocabulary.fields import FIELDS

IPS: Final = tuple(field.name for field in FIELDS if field.name.endswith("_ip"))
# Names of accounts; an address counts as one where it is nothing but the name.
NAMES: Final = tuple(
    field.name for field in FIELDS if field.privacy == "address" and field.name != "lookup_key"
)


def mentions(events: Events, subject: Subject) -> pl.Series:
    """A mask over the lines."""
    mask = pl.Series([False], dtype=pl.Boolean).new_from_index(0, len(events.raw))
    rows = _in_network(events, subject) if subject.query is None else _in_raw(events, subject)
    if subject.kind == "user":
        rows = _named(events, subject.text.lower(), rows)
    return mask.scatter(rows, True) if len(rows) else mask


def of_rows(rows: pl.DataFrame, subject: Subject) -> pl.Series:
    """Which rows are about a network or a domain, as their ``IPS`` or ``raw`` say; any other was told in SQL.

    In: rows that may be.  Out: a mask.
    """
    if subject.network is not None:
        network, mask = subject.network, pl.Series([False]).new_from_index(0, len(rows))
        for name in IPS:
            if name in rows.columns:
                inside = [value for value in rows[name].drop_nulls().unique() if _within(value, network)]
                mask = mask | rows[name].is_in(inside).fill_null(False)
        return mask
    if subject.kind == "domain" and subject.query is not None:
        query = subject.query
        return pl.Series([query.matches(line.encode()) for line in rows["raw"]], dtype=pl.Boolean)
    return pl.Series([True]).new_from_index(0, len(rows))


def _in_raw(events: Events, subject: Subject) -> pl.Series:
    query = subject.query
    assert query is not None
    needles = [needle.decode("utf-8", "replace") for needle in query.needles]
    rows = events.raw.str.contains_any(needles, ascii_case_insensitive=True).arg_true()
    # What the bytes around the needle must be needs look-around, which only Python's regexes have.
    exact = [query.matches(line.encode()) for line in events.raw.gather(rows)]
    return rows.filter(pl.Series(exact, dtype=pl.Boolean)).cast(pl.UInt32)


def _in_network(events: Events, subject: Subject) -> pl.Series:
    network = subject.network
    assert network is not None
    found = [pl.Series([], dtype=pl.UInt32)]
    for part in events.parts:
        for name in IPS:
            if name in part.frame.columns:
                column = part.frame[name]
                inside = [value for value in column.drop_nulls().unique() if _within(value, network)]
                if inside:
                    found.append(part.frame["row"].filter(column.is_in(inside).fill_null(False)))
    return pl.concat(found).unique()


def _within(value: str, network: object) -> bool:
    from ipaddress import ip_address

    try:
        return ip_address(value) in network  # type: ignore[operator]
    except ValueError:
        return False


def _named(events: Events, name: str, mentioned: pl.Series) -> pl.Series:
    """Of lines that hold the word, those of which a field is the name, and those that no pattern knows."""
    found = [events.unrecognised.filter(events.unrecognised.is_in(mentioned.implode()))]
    for part in events.parts:
        frame = part.frame.filter(pl.col("row").is_in(mentioned.implode()))
        columns = [column for column in NAMES if column in frame.columns]
        if columns and len(frame):
            is_name = pl.any_horizontal(pl.col(column).str.to_lowercase() == name for column in columns)
            found.append(frame.filter(is_name.fill_null(False))["row"])
    return pl.concat([rows.cast(pl.UInt32) for rows in found]).unique()
