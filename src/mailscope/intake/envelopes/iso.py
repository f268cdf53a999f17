"""Stamps with a year: RFC 3339 (rsyslog's file format), ISO 8601 with a space, month names.

    2026-11-22T04:00:42.186609+00:00 host tag[pid]: text     rsyslog, journalctl -o short-iso
    2013-06-10 06:27:30,123 host tag[pid]: text
    2013 Jun 10 06:27:30.123 host tag[pid]: text
    Sun 2026-11-22 04:00:42 CET host tag[pid]: text           journalctl -o short-full
    2026-11-22 03:59:04.407222500 text                        tai64nlocal: no host, no tag

A stamp without a zone is in the source's zone, and so is one with a zone's short name, unless that is UTC
or GMT: several zones share most of these names.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

import polars as pl

from mailscope.intake.envelopes.header import TIME, Header, all_or_mask, runs, split_tag
from mailscope.vocabulary.columns import take

SNIFF: Final = (
    r"^(?:[A-Z][a-z]{2} )?[0-9]{4}(?:-[0-9]{2}-[0-9]{2}| [A-Z][a-z]{2} {1,2}[0-9]{1,2})"
    r"[T ][0-9]{2}:[0-9]{2}:[0-9]{2}"
)
FORM: Final = (
    r"^(?P<weekday>[A-Z][a-z]{2} )?"
    r"(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{4} [A-Z][a-z]{2} {1,2}[0-9]{1,2})[T ]"
    r"(?P<minute>[0-9]{2}:[0-9]{2}):(?P<second>[0-9]{2})(?:[.,](?P<fraction>[0-9]{1,9}))?"
    r"(?P<zone>Z|[+-][0-9]{2}:?[0-9]{2})? (?P<rest>.*)$"
)
NANOSECONDS: Final = 9
# The "name" of a zone that has none.
NUMERIC: Final = r"^[+-][0-9]{2}(?:[0-9]{2})?$"
MINUTE: Final = r"^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}$"

# rsyslog's form, in which every part has its place: 2026-11-22T04:00:42.186609+00:00
FIXED: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}"
    r"(?P<fraction>[.,][0-9]{3}|[.,][0-9]{6})?(?P<zone>Z|[+-][0-9]{2}:?[0-9]{2})? "
)
# The beginning of a line that names a message of Exim.
EXIM: Final = (
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{3})?(?: [+-][0-9]{4})?"
    r"(?: \[[0-9]+\])? "
    r"[0-9A-Za-z]{6}-[0-9A-Za-z]{6,11}-[0-9A-Za-z]{2,4} "
)


def parse(lines: pl.Series) -> Header:
    """Take lines apart."""
    header = _parse_fixed(lines) or _parse_any(lines)
    if len(lines) and lines[0][10:11] == " " and lines.str.contains(EXIM).any():
        # Exim's own files have neither host nor tag (``exim.py``).
        others = ~lines.str.contains(EXIM)
        return replace(header, ok=others if header.ok is None else header.ok & others)
    return header


def _parse_fixed(lines: pl.Series) -> Header | None:
    """The usual case: all stamps have the parts of the first one, in the same places; else None."""
    form = FIXED.match(lines[0]) if len(lines) else None
    if form is None:
        return None
    mark, zone = (form["fraction"] or "")[:1], form["zone"] or ""
    digits = max(len(form["fraction"] or "") - 1, 0)
    heads, run = runs(lines.str.slice(0, 16))
    distinct = heads.str.replace("T", " ", literal=True)
    minutes = distinct.str.to_datetime("%Y-%m-%d %H:%M", time_unit="us", strict=False)
    micros = lines.str.slice(17, 2).cast(pl.Int64, strict=False) * 1_000_000
    places = (lines.str.slice(19 + len(form["fraction"] or ""), len(zone) + 1) == f"{zone} ") & (
        lines.str.slice(16, 1) == ":"
    )
    # Digits only: a sign would be taken for a part of the number.
    places &= lines.str.slice(17, 1) >= "0"
    if digits:
        places &= (lines.str.slice(19, 1) == mark) & (lines.str.slice(20, 1) >= "0")
        fraction = lines.str.slice(20, digits)
        micros += fraction.cast(pl.Int64, strict=False) * 10 ** (6 - digits)
    if not places.all() or minutes.null_count() or micros.null_count():
        return None
    if not distinct.str.contains(MINUTE).all():
        return None
    wall = (take(minutes, run).cast(pl.Int64) + micros).cast(TIME)
    rest = lines.str.slice(form.end())
    host, tag, text = _split_rest(rest)
    if not zone:
        return Header(host, tag, text, local=wall)
    shift = _micros_east(zone) or 0
    return Header(host, tag, text, time=(wall.cast(pl.Int64) - shift).cast(TIME))


def _split_rest(rest: pl.Series) -> tuple[pl.Series | str, pl.Series, pl.Series]:
    """Host, tag and text of what follows the stamp; one host for all lines is the usual case."""
    name = rest[0].split(" ", 1)[0]
    plain = name and name.isascii() and not name.endswith(":") and "(" not in name
    if plain and (rest.str.slice(0, len(name) + 1) == f"{name} ").all():
        tag, text = split_tag(rest.str.slice(len(name) + 1))
        return name, tag, text
    parts = rest.str.splitn(" ", 2).struct.unnest()
    host, tagged = parts["field_0"], parts["field_1"].fill_null("")
    tag, text = split_tag(tagged)
    hostless = host.str.ends_with(":") | host.str.contains("(", literal=True)
    if hostless.any():
        whole_tag, whole_text = split_tag(rest)
        fixed = pl.select(
            host=pl.when(~hostless).then(host),
            tag=pl.when(hostless).then(whole_tag).otherwise(tag),
            text=pl.when(hostless).then(whole_text).otherwise(text),
        )
        host, tag, text = fixed["host"], fixed["tag"], fixed["text"]
    return host, tag, text


def _parse_any(lines: pl.Series) -> Header:
    """Any mixture of the forms above, and lines that are of none of them."""
    found = lines.str.extract_groups(FORM).struct.unnest()
    ok = found["rest"].is_not_null()
    wall = wall_clock(found)
    zone = found["zone"]
    rest = found["rest"].fill_null("")
    weekday = found["weekday"].is_not_null()
    if weekday.any():
        zone, rest = _named_zone(weekday, zone, rest)
    parts = rest.str.splitn(" ", 2).struct.unnest()
    host, tagged = parts["field_0"], parts["field_1"].fill_null("")
    # tai64nlocal writes nine digits and then the bare text; a first word with a colon is a tag.
    bare = (found["fraction"].str.len_bytes() == NANOSECONDS).fill_null(False)
    hostless = (host.str.ends_with(":") | host.str.contains("(", literal=True)) & ~bare
    tag, text = split_tag(tagged)
    if bare.any() or hostless.any():
        whole_tag, whole_text = split_tag(rest)
        fixed = pl.select(
            host=pl.when(~(bare | hostless)).then(host),
            tag=pl.when(hostless).then(whole_tag).when(~bare).then(tag),
            text=pl.when(bare).then(rest).when(hostless).then(whole_text).otherwise(text),
        )
        host, tag, text = fixed["host"], fixed["tag"], fixed["text"]
    everything = zone.is_not_null()
    if everything.all():
        return Header(host, tag, text, time=wall - offset(zone), ok=all_or_mask(ok & wall.is_not_null()))
    if not everything.any():
        return Header(host, tag, text, local=wall, ok=all_or_mask(ok & wall.is_not_null()))
    both = pl.select(
        time=pl.when(everything).then(wall - offset(zone)), local=pl.when(~everything).then(wall)
    )
    return Header(
        host,
        tag,
        text,
        time=both["time"],
        local=both["local"],
        ok=all_or_mask(ok & wall.is_not_null()),
    )


def _named_zone(weekday: pl.Series, zone: pl.Series, rest: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Zone and rest of lines, some of which have the zone's name as a word of its own."""
    parts = rest.str.splitn(" ", 2).struct.unnest()
    name = pl.lit(parts["field_0"])
    named = pl.when(name.is_in(["UTC", "GMT"])).then(pl.lit("Z")).when(name.str.contains(NUMERIC)).then(name)
    chosen = pl.select(
        zone=pl.when(weekday).then(named).otherwise(zone),
        rest=pl.when(weekday).then(pl.lit(parts["field_1"]).fill_null("")).otherwise(rest),
    )
    return chosen["zone"], chosen["rest"]


def wall_clock(found: pl.DataFrame) -> pl.Series:
    """Datetime (us, naive) of the groups day, minute, second and fraction.

    Only a change of the minute is parsed as a date; seconds and fraction are added as numbers.
    """
    distinct, run = runs(found.select(pl.concat_str("day", pl.lit(" "), "minute")).to_series())
    minutes = distinct.str.to_datetime("%Y-%m-%d %H:%M", time_unit="us", strict=False)
    if minutes.null_count() > distinct.null_count():
        named = distinct.str.to_datetime("%Y %b %d %H:%M", time_unit="us", strict=False)
        minutes = pl.select(pl.coalesce(minutes, named)).to_series()
    minute = take(minutes, run)
    micros = found["fraction"].fill_null("0").str.head(6).str.pad_end(6, "0").cast(pl.Int64, strict=False)
    seconds = found["second"].cast(pl.Int64, strict=False)
    return (minute.cast(pl.Int64) + seconds * 1_000_000 + micros).cast(TIME)


def offset(zone: pl.Series) -> pl.Series:
    """Duration east of UTC of zones such as Z, +01:00, -0330; null for null."""
    distinct, run = runs(zone)
    durations = pl.Series([_micros_east(text) for text in distinct], dtype=pl.Int64).cast(pl.Duration("us"))
    return take(durations, run)


def _micros_east(text: str | None) -> int | None:
    if text is None:
        return None
    if text == "Z":
        return 0
    digits = text[1:].replace(":", "")
    minutes = int(digits[:2]) * 60 + int(digits[2:] or 0)
    return (-1 if text[0] == "-" else 1) * minutes * 60_000_000
