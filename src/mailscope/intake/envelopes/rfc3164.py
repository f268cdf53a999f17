"""BSD syslog: ``Nov 22 04:00:42 host tag[pid]: text`` (RFC 3164 section 4.1).

Also read: a single-digit day with or without padding, a year after the day and a colon after the stamp
(Cisco), a fraction of a second, and a stamp that lost its month on the way (``16 15:53:25 host ...``).
"""

from __future__ import annotations

from typing import Final

import polars as pl

from mailscope.intake.envelopes.header import Header, all_or_mask, split_tag

MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
SNIFF: Final = r"^(?:[A-Z][a-z]{2} {1,2}[0-9]{1,2} |[0-9]{1,2} )(?:[0-9]{4} )?[0-9]{2}:[0-9]{2}:[0-9]{2}"
STANDARD: Final = (
    r"^(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) [ 0-3][0-9] "
    r"[0-2][0-9]:[0-5][0-9]:[0-6][0-9]$"
)
LENIENT: Final = (
    r"^(?:(?P<month>Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) {1,2})?(?P<day>[0-9]{1,2}) "
    r"(?:(?P<year>[0-9]{4}) )?(?P<clock>[0-9]{2}:[0-9]{2}:[0-9]{2})(?:[.,][0-9]+)?:?(?: (?P<rest>.*))?$"
)
STAMP_LENGTH: Final = 15
# metalog names the program where others name the host.
METALOG: Final = r"^\[([A-Za-z][^\]: ]*)\]:?$"


def parse(lines: pl.Series) -> Header:
    """Take lines apart; a stamp without a year is kept as text, its year is the clock's business."""
    stamp = lines.str.slice(0, STAMP_LENGTH)
    if not _all_standard(stamp) or not (lines.str.slice(STAMP_LENGTH, 1) == " ").all():
        return _parse_lenient(lines)
    host, rest = _split_host(lines)
    tag, text = split_tag(rest)
    return Header(host=host, tag=tag, text=text, stamp=stamp)


def _all_standard(stamp: pl.Series) -> bool:
    changed = stamp.filter(stamp.ne_missing(stamp.shift()))
    return bool(changed.str.contains(STANDARD).all())


def _split_host(lines: pl.Series) -> tuple[pl.Series | str, pl.Series]:
    """Host and what follows; one host for all lines, the usual case, costs a comparison only."""
    start = STAMP_LENGTH + 1
    host = lines[0][start:].split(" ", 1)[0] if len(lines) else ""
    if host and host.isascii() and host[0] != "[" and not host.endswith(":") and "(" not in host[1:]:
        after = start + len(host) + 1
        if (lines.str.slice(STAMP_LENGTH, len(host) + 2) == f" {host} ").all():
            return host, lines.str.slice(after)
    parts = lines.str.slice(start).str.splitn(" ", 2).struct.unnest()
    return _hostless(parts["field_0"], parts["field_1"].fill_null(""))


def _hostless(host: pl.Series, rest: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Some daemons leave the host out.

    ``stamp tag[pid]: text``, ``stamp lmtp(12345, alice): text``, ``stamp [tag] text``.  Linux calls a host
    whose name was never set ``(none)``.
    """
    tagged = host.str.ends_with(":") | host.str.contains(r"^(?:[^(]+\(|\[)")
    if not tagged.any():
        return host, rest
    name = host.str.extract(METALOG, 1)
    # An address in brackets is a host.
    tagged &= name.is_not_null() | ~host.str.starts_with("[") | host.str.ends_with(":")
    both = pl.select(
        host=pl.when(~tagged).then(host),
        rest=pl.when(name.is_not_null())
        .then(pl.concat_str([name, rest], separator=": "))
        .when(tagged)
        .then(pl.concat_str([host, rest], separator=" "))
        .otherwise(rest),
    )
    return both["host"], both["rest"]


def _parse_lenient(lines: pl.Series) -> Header:
    found = lines.str.extract_groups(LENIENT).struct.unnest()
    parts = found["rest"].fill_null("").str.splitn(" ", 2).struct.unnest()
    host, rest = _hostless(parts["field_0"].fill_null(""), parts["field_1"].fill_null(""))
    tag, text = split_tag(rest)
    stamp = found.select(
        pl.concat_str(
            pl.col("month").fill_null("???"),
            pl.lit(" "),
            pl.col("day").str.pad_start(2),
            pl.lit(" "),
            pl.col("clock"),
        )
    ).to_series()
    ok = all_or_mask(found["day"].is_not_null())
    if found["year"].null_count() == len(found):
        return Header(host, tag, text, stamp=stamp, ok=ok)
    local = found.select(
        pl.concat_str("year", "month", "day", "clock", separator=" ").str.to_datetime(
            "%Y %b %d %H:%M:%S", time_unit="us", strict=False
        )
    ).to_series()
    stamp = pl.select(pl.when(local.is_null()).then(stamp)).to_series()
    return Header(host, tag, text, local=local, stamp=stamp, ok=ok)
