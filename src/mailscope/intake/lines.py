"""A chunk of bytes becomes a frame of lines, taken apart by whichever envelope each line has."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from typing import Any, Final

import polars as pl

from mailscope.intake import containers, continued, inner_priority, priority
from mailscope.intake.envelopes import ENVELOPES, epoch, rfc5424
from mailscope.intake.envelopes.header import TIME, Header, nulls

# splogger's lines are tagged without a pid; every other line that carries one is left alone.
STAMPED: Final = r"^[0-9]{9,11}\.[0-9]{6,9}[ +]"
# A whole second line behind the first: stamp, host, tag, splogger's stamp.
SECOND: Final = r" [A-Z][a-z]{2} [ 0-3][0-9] [0-9]{2}:[0-9]{2}:[0-9]{2} [^ ]+ [^ ]+: [0-9]{9,11}\.[0-9]{6} "
SECOND_HEADER: Final = re.compile(f" (?={SECOND[1:]})")
DTYPES: Final[dict[str, pl.DataType | type[pl.DataType]]] = {"time": TIME, "local": TIME, "pri": pl.Int64}
# Windows programs put one before a file's first line; it stays inside where files were joined.
BYTE_ORDER_MARK: Final = "\ufeff".encode()
# What Polars takes for the beginning of a zlib stream and tries to unpack.
ZLIB: Final = (b"x\x01", b"x^")


@dataclass(frozen=True, slots=True)
class Lines:
    """The lines of a chunk that are not blank.

    ``raw`` is the whole line; ``number`` its position in the chunk (None where no line is blank);
    ``total`` counts all lines, ``blank`` the blank ones; ``glued`` is how many records stood in one line
    with another and now count as lines of their own.
    """

    raw: pl.Series
    header: Header
    total: int
    number: pl.Series | None
    glued: int = 0

    @property
    def blank(self) -> int:
        """How many lines were empty or white space only."""
        return self.total + self.glued - len(self.raw)


def split_lines(data: bytes) -> pl.Series:
    """The lines of some bytes as a String column; bytes that are not UTF-8 become U+FFFD."""
    if not data:
        return pl.Series("line", [], dtype=pl.String)
    if not data.isascii():
        try:
            data.decode()
        except UnicodeDecodeError:
            data = data.decode(errors="replace").encode()
        if BYTE_ORDER_MARK in data:
            # A last line that was nothing else is a blank line, not none at all.
            data = data + b"\n" if data.endswith(BYTE_ORDER_MARK) else data
            data = data.removeprefix(BYTE_ORDER_MARK).replace(b"\n" + BYTE_ORDER_MARK, b"\n")
    if data.startswith(ZLIB):
        return pl.read_lines(b"\n" + data)["line"].slice(1)
    return pl.read_lines(data)["line"]


def parse_lines(data: bytes) -> Lines:
    """Split bytes into lines and take each line's envelope off."""
    raw = split_lines(data)
    total = len(raw)
    number = None
    # Comparing first characters is cheap; only where one is white space, the whole line is looked at.
    blank = raw.str.slice(0, 1) <= " "
    if blank.any():
        blank &= raw.str.strip_chars().str.len_bytes() == 0
    if blank.any():
        number = (~blank).arg_true()
        raw = raw.gather(number)
    header, glued = _unwrap_splogger(take_apart(raw))
    more = 0
    if glued is not None:
        raw, number, more = _part(raw, number, glued)
        header, _ = _unwrap_splogger(take_apart(raw))
    header = _replace(header, text=continued.join(raw, header))
    return Lines(raw, header, total, number, more)


def _part(raw: pl.Series, number: pl.Series | None, rows: pl.Series) -> tuple[pl.Series, pl.Series, int]:
    """Lines with those that hold two records (a line feed was lost between them) cut in two.

    Both keep the number of the line; the second counts as a line of its own.
    """
    pieces: list[list[str]] = [[line] for line in raw]
    for row in rows:
        pieces[row] = [piece for piece in SECOND_HEADER.split(raw[row]) if piece]
    places = number if number is not None else pl.int_range(len(raw), dtype=pl.UInt32, eager=True)
    numbers = [place for place, parts in zip(places, pieces, strict=True) for _ in parts]
    flat = [piece for parts in pieces for piece in parts]
    extra = len(flat) - len(raw)
    return pl.Series("line", flat, dtype=pl.String), pl.Series(numbers, dtype=pl.UInt32), extra


def take_apart(lines: pl.Series) -> Header:
    """Envelope parts of every line; a line with no known envelope is all text."""
    if not len(lines):
        return _bare(lines)
    if re.match(containers.SNIFF, lines[0]):
        return _contained(lines)
    header = _alike(lines)
    if header is not None and not containers.suspected(header):
        return inner_priority.unwrap(header)
    if lines.str.contains(containers.SNIFF).any():
        return _contained(lines)
    return _uncontained(lines)


def _contained(lines: pl.Series) -> Header:
    """Lines of containers, perhaps among others: what the runtime wrote is taken off once."""
    times, inner = containers.strip(lines)
    header = _alike(inner)
    header = inner_priority.unwrap(header) if header is not None else _uncontained(inner)
    header = containers.tagged(header, inner.str.len_bytes() < lines.str.len_bytes())
    if times.null_count() == len(times):
        return header
    if header.time is not None:
        times = pl.select(pl.coalesce(times, header.time)).to_series()
    return _replace(header, time=times)


def _uncontained(lines: pl.Series) -> Header:
    """Lines that do not all have the envelope of the first one."""
    prefixed = lines.str.contains(priority.SNIFF) & ~lines.str.contains(rfc5424.SNIFF)
    if not prefixed.any():
        return inner_priority.unwrap(_mixed(lines))
    rows = prefixed.arg_true()
    numbers, stripped = priority.strip(lines.gather(rows))
    rest = lines.clone().scatter(rows, stripped)
    header = inner_priority.unwrap(_alike(rest) or _mixed(rest))
    pri = nulls(len(lines), pl.Int64).scatter(rows, numbers)
    if header.pri is not None:
        pri = pl.select(pl.coalesce(header.pri, pri)).to_series()
    return _replace(header, pri=pri)


def _alike(lines: pl.Series) -> Header | None:
    """The lines taken apart if all of them have the envelope of the first one, which is the usual case."""
    for envelope in ENVELOPES:
        if re.match(envelope.SNIFF, lines[0]):
            header = envelope.parse(lines)
            return header if header.ok is None else None
    return None


def _bare(lines: pl.Series) -> Header:
    return Header(host=None, tag=nulls(len(lines)), text=lines)


def _mixed(lines: pl.Series) -> Header:
    """Each envelope in turn takes the lines that are of its form; the rest is bare text."""
    length = len(lines)
    columns: dict[str, pl.Series] = {
        name: nulls(length, DTYPES.get(name, pl.String))
        for name in ("host", "tag", "text", "time", "local", "stamp", "pri")
    }
    left = pl.int_range(length, eager=True, dtype=pl.UInt32)
    for envelope in ENVELOPES:
        body = lines.gather(left)
        fits = body.str.contains(envelope.SNIFF)
        if not fits.any():
            continue
        header = envelope.parse(body.filter(fits))
        taken = left.filter(fits)
        failed = pl.Series([], dtype=pl.UInt32)
        if header.ok is not None:
            failed = taken.filter(~header.ok)
            taken = taken.filter(header.ok)
        for name, column in columns.items():
            value = getattr(header, name)
            if value is None:
                continue
            if isinstance(value, str):
                value = pl.Series([value]).new_from_index(0, int(fits.sum()))
            if header.ok is not None:
                value = value.filter(header.ok)
            columns[name] = column.scatter(taken, value)
        left = pl.concat([left.filter(~fits), failed]).sort()
    columns["text"] = columns["text"].scatter(left, lines.gather(left))
    return Header(**{name: _none_if_null(name, column) for name, column in columns.items()})


def _none_if_null(name: str, column: pl.Series) -> Any:
    if name in ("tag", "text") or column.null_count() < len(column):
        return column
    return None


def _unwrap_splogger(header: Header) -> tuple[Header, pl.Series | None]:
    """splogger's own stamp inside a syslog line tells the instant to the microsecond, in UTC.

    Also given: the rows whose text holds another whole line, None where there are none.
    """
    tag, text = header.tag, header.text
    candidate = ~tag.str.ends_with("]").fill_null(True)
    if not candidate.any():
        return header, None
    rows = candidate.arg_true()
    stamped = text.gather(rows).str.contains(STAMPED)
    if not stamped.any():
        return header, None
    rows = rows.filter(stamped)
    inner_time, inner_text = epoch.split(text.gather(rows))
    time = header.time if header.time is not None else nulls(len(text), TIME)
    glued = inner_text.str.contains(SECOND)
    unwrapped = _replace(header, time=time.scatter(rows, inner_time), text=text.scatter(rows, inner_text))
    return unwrapped, rows.filter(glued) if glued.any() else None


def _replace(header: Header, **changes: Any) -> Header:
    values = {field.name: getattr(header, field.name) for field in fields(Header)}
    return Header(**(values | changes))
