"""Priorities that some syslog daemons write behind the stamp.

    Jan  1 00:00:00 <mail.info> host tag[pid]: text             FreeBSD, syslogd -v -v (<2.6> with one -v)
    Jan  1 00:00:00 host mail.info tag[pid]: text               BusyBox
    Jan  1 00:00:00 host mail:info tag[pid]: text               AIX
    Jan  1 00:00:00 host tag[pid]: [ID 197553 mail.info] text   Solaris
    2026-01-01T00:00:00+00:00 INFO    tag[pid]: text            rsyslog's template in containers: no host

The usual lines have none of these; looking for them costs next to nothing where they are not.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import polars as pl

from mailscope.intake import priority
from mailscope.intake.envelopes.header import Header, nulls, split_tag

WORD: Final = (
    rf"^(?:{'|'.join(priority.FACILITIES)})[.:](?:{'|'.join((*priority.SEVERITIES, *priority.ALIASES))}) "
)
WORD_FORM: Final = r"^([a-z0-9]+)[.:]([a-z]+) (.*)$"
SOLARIS: Final = r"^\[ID [0-9]+ ([a-z0-9]+)\.([a-z]+)\] (.*)$"
FREEBSD: Final = r"^<([a-z0-9]+)\.([a-z0-9]+)>$"
LEVELS: Final = tuple(word.upper() for word in (*priority.SEVERITIES, *priority.ALIASES))


def unwrap(header: Header) -> Header:
    """The header with such priorities taken off and told in ``pri``."""
    if header.host is not None:
        header = _level(_freebsd(header))
    if header.tag.null_count():
        header = _word(header)
    if header.text.str.starts_with("[ID ").any():
        header = _solaris(header)
    return header


def _freebsd(header: Header) -> Header:
    """The priority stands where the host is expected; host, tag and text follow it."""
    host = header.host
    if isinstance(host, str):
        host = pl.Series([host if host.startswith("<") else ""]).new_from_index(0, len(header.text))
        if not host[0]:
            return header
    assert host is not None
    if not host.str.starts_with("<").any():
        return header
    found = host.str.extract_groups(FREEBSD).struct.unnest()
    rows = (found["1"].is_not_null() & header.tag.is_null()).arg_true()
    parts = header.text.gather(rows).str.splitn(" ", 2).struct.unnest()
    tag, text = split_tag(parts["field_1"].fill_null(""))
    names = found.select(pl.all().gather(rows))
    figures = pl.col("1").cast(pl.Int64, strict=False) * 8 + pl.col("2").cast(pl.Int64, strict=False)
    pri = names.select(pl.coalesce(priority.number(pl.col("1"), pl.col("2")), figures)).to_series()
    return replace(
        header,
        host=host.scatter(rows, parts["field_0"]),
        tag=header.tag.scatter(rows, tag),
        text=header.text.scatter(rows, text),
        pri=_pri(header, rows, pri),
    )


def _level(header: Header) -> Header:
    """A severity in capitals, filled up with blanks, stands where the host is expected; no facility."""
    host = header.host
    if isinstance(host, str):
        if host not in LEVELS:
            return header
        host = pl.Series([host]).new_from_index(0, len(header.text))
    assert host is not None
    rows = host.is_in(LEVELS).arg_true()
    if not len(rows):
        return header
    untagged = rows.filter(header.tag.gather(rows).is_null())
    tag, text = split_tag(header.text.gather(untagged).str.strip_chars_start(" "))
    return replace(
        header,
        host=host.scatter(rows, None),
        tag=header.tag.scatter(untagged, tag),
        text=header.text.scatter(untagged, text),
    )


def _word(header: Header) -> Header:
    """The priority is a word before the tag."""
    rows = header.tag.is_null().arg_true()
    rows = rows.filter(header.text.gather(rows).str.contains(WORD))
    if not len(rows):
        return header
    found = header.text.gather(rows).str.extract_groups(WORD_FORM).struct.unnest()
    tag, text = split_tag(found["3"])
    pri = found.select(priority.number(pl.col("1"), pl.col("2"))).to_series()
    return replace(
        header,
        tag=header.tag.scatter(rows, tag),
        text=header.text.scatter(rows, text),
        pri=_pri(header, rows, pri),
    )


def _solaris(header: Header) -> Header:
    """The message's number and its priority are in brackets before the text."""
    found = header.text.str.extract_groups(SOLARIS).struct.unnest()
    rows = found["3"].is_not_null().arg_true()
    pri = found.select(priority.number(pl.col("1"), pl.col("2"))).to_series().gather(rows)
    return replace(
        header,
        text=header.text.scatter(rows, found["3"].gather(rows)),
        pri=_pri(header, rows, pri),
    )


def _pri(header: Header, rows: pl.Series, pri: pl.Series) -> pl.Series:
    """The header's priorities with those of some rows added."""
    known = header.pri if header.pri is not None else nulls(len(header.text), pl.Int64)
    pri = pl.select(pl.when(pri < priority.MOST).then(pri)).to_series()
    return known.scatter(rows, pri)
