"""The engine: frames of lines in, frames of typed fields out, one per line format that occurred.

Every step works on a whole chunk.  A distinct program tag is resolved once per chunk; lines are
grouped by (program, first four characters of the text), each group is tried against the few patterns
whose literal beginning agrees, and each regex sees only the lines that the ones before it left.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import polars as pl

from mailscope.recognise.library import Library, Reading
from mailscope.recognise.pattern import MATCHED, Pattern
from mailscope.recognise.regex import Form, form
from mailscope.vocabulary.fields import BY_NAME

DTYPES: Final = {"int": pl.Int64, "float": pl.Float64, "str": pl.String, "time": pl.String}
# A capital hex digit or digit, then neither '_' nor a small vowel: every Postfix queue id is so, no
# word that Postfix writes before a colon is.
FAST_QUEUE_ID: Final = "^([0-9A-F][0-9A-Zb-df-hj-np-tv-z]{5,}|NOQUEUE): "
TAG: Final = r"^(?P<program>.*?)(?:\[(?P<pid>[0-9]+)\])?$"
INNER_TAG: Final = r"^(?P<tag>[A-Za-z][A-Za-z0-9_.-]*(?:\[[0-9]+\])?): (?P<text>.*)$"
UNKNOWN: Final = 0
NOTHING: Final[frozenset[str]] = frozenset()
ALWAYS: Final = frozenset({"queue_id"})


@dataclass(frozen=True, slots=True)
class Part:
    """The lines of a chunk that one pattern knows.

    ``frame`` has ``row`` (UInt32, position in the chunk), ``queue_id`` where the program has one, and
    the captured fields in their types; ``service`` is what the pattern implies beyond the tag.
    """

    pattern: Pattern
    service: str | None
    frame: pl.DataFrame


@dataclass(frozen=True, slots=True)
class Recognised:
    """A chunk after recognition: parts, rows nobody knows, and the tags that occurred.

    ``tag_code`` gives for each row its position in ``tags`` (program, pid, service, instance, salt);
    ``text`` is the text after the innermost tag.
    """

    parts: list[Part]
    unrecognised: pl.Series
    tag_code: pl.Series
    tags: pl.DataFrame
    text: pl.Series


class Engine:
    """Matches chunks against a library.  Stateless between chunks, so threads may share it.

    ``needed``: the fields that later stages will look at, by event; None captures all.
    """

    def __init__(self, library: Library, needed: Mapping[str, frozenset[str]] | None = None) -> None:
        self.library = library
        self.needed = needed
        self._forms: dict[int, Form] = {}
        self._groups: dict[tuple[str, str], tuple[tuple[Pattern, str | None], ...]] = {}

    def _form_of(self, pattern: Pattern) -> Form:
        known = self._forms.get(id(pattern))
        if known is None:
            needed = None if self.needed is None else self.needed.get(pattern.event, NOTHING) | ALWAYS
            known = self._forms[id(pattern)] = form(pattern, needed)
        return known

    def recognise(self, tag: pl.Series, text: pl.Series) -> Recognised:
        """Recognise lines given their program tag (with pid, null for none) and text (both String)."""
        tag, text = self._inner_tags(tag, text)
        tag_code, tags, readings = self._resolve_tags(tag)
        row_reading = tags["reading"].gather(tag_code)
        queue_id, rest = _strip_queue_id(text, row_reading, readings)
        start = rest.str.slice(0, 4)
        groups, group_code = self._group(start, row_reading, readings)
        frame = pl.DataFrame(
            {
                "row": pl.int_range(len(text), dtype=pl.UInt32, eager=True),
                "queue_id": queue_id,
                "rest": rest,
                "group": group_code,
            }
        )
        parts: list[Part] = []
        left: list[pl.Series] = []
        for piece in frame.partition_by("group", maintain_order=True):
            entries = groups[piece["group"][0]]
            matched, remaining = self._match(piece.drop("group"), entries)
            parts.extend(matched)
            if len(remaining):
                left.append(remaining)
        unrecognised = pl.concat(left).sort() if left else pl.Series("row", [], dtype=pl.UInt32)
        return Recognised(parts, unrecognised, tag_code, tags, text)

    def _inner_tags(self, tag: pl.Series, text: pl.Series) -> tuple[pl.Series, pl.Series]:
        """A tag inside the text (``splogger: tcpserver: ok``) is the program that wrote the line.

        Looked for where the outer tag is missing or belongs to nobody in particular.
        """
        outer = ~tag.str.ends_with("]").fill_null(False)
        if not outer.any():
            return tag, text
        rows = outer.arg_true()
        inner = text.gather(rows).str.extract_groups(INNER_TAG).struct.unnest()
        names = inner["tag"].drop_nulls().unique()
        known = [name for name in names if self._wraps(name.split("[")[0])]
        if not known:
            return tag, text
        outer_names = tag.gather(rows)
        wrapping = {name: self._is_wrapper(name or "") for name in outer_names.unique()}
        inside = inner["tag"].is_in(known) & pl.Series(
            [wrapping[name] for name in outer_names], dtype=pl.Boolean
        )
        rows, inner = rows.filter(inside), inner.filter(inside)
        if not len(rows):
            return tag, text
        return tag.scatter(rows, inner["tag"]), text.scatter(rows, inner["text"])

    def _wraps(self, name: str) -> bool:
        """Whether some program's lines are tagged with exactly this name inside a wrapper."""
        reading = self.library.reading(name)
        return reading is not None and not reading.strip and not any(p.bare for p in reading.programs)

    def _is_wrapper(self, tag: str) -> bool:
        """Whether lines of this outer tag may be another program's: splogger, no tag, unknown."""
        reading = self.library.reading(tag)
        return reading is None or any(program.bare for program in reading.programs)

    def _resolve_tags(self, tag: pl.Series) -> tuple[pl.Series, pl.DataFrame, list[Reading | None]]:
        """Each distinct tag once: its program, pid and the reading of its lines."""
        code, distinct = dense_codes(tag.hash(), tag)
        tags = (
            distinct.fill_null("")
            .str.strip_chars_end()
            .str.extract_groups(TAG)
            .struct.unnest()
            .with_columns(pl.col("program").fill_null(""), pl.col("pid").cast(pl.Int64, strict=False))
        )
        readings: list[Reading | None] = [None]
        numbers: dict[str, int] = {}
        for program in tags["program"].unique():
            reading = self.library.reading(program)
            numbers[program] = UNKNOWN if reading is None else len(readings)
            if reading is not None:
                readings.append(reading)
        tags = tags.with_columns(
            pl.Series("reading", [numbers[program] for program in tags["program"]], dtype=pl.UInt32)
        )
        service = [None if reading is None else reading.service for reading in readings]
        instance = [None if reading is None else reading.instance for reading in readings]
        tags = tags.with_columns(
            pl.Series("service", [service[i] for i in tags["reading"]], dtype=pl.String),
            pl.Series("instance", [instance[i] for i in tags["reading"]], dtype=pl.String),
        )
        # Postfix queue ids are unique on a host whatever the daemon calls itself; other MTAs' message
        # numbers only within one program.
        shared = pl.Series([reading is not None and reading.strip for reading in readings])
        tags = tags.with_columns(
            pl.when(shared.gather(tags["reading"])).then(0).otherwise(pl.col("program").hash()).alias("salt")
        )
        return code, tags, readings

    def _group(
        self, start: pl.Series, row_reading: pl.Series, readings: list[Reading | None]
    ) -> tuple[list[tuple[tuple[Pattern, str | None], ...]], pl.Series]:
        """Number the (reading, first characters) pairs that occur by the patterns they allow."""
        key = start.hash() ^ (row_reading.cast(pl.UInt64) * 0x9E3779B97F4A7C15)
        first = key.arg_unique()
        order = key.gather(first).arg_sort()
        first = first.gather(order)
        code = (key.rank("dense") - 1).cast(pl.UInt32)
        groups: list[tuple[tuple[Pattern, str | None], ...]] = []
        known: dict[tuple[int, ...], int] = {}
        group_of: list[int] = []
        for begin, number in zip(start.gather(first), row_reading.gather(first), strict=True):
            entries = self._candidates(readings[number], begin)
            identity = tuple(id(pattern) for pattern, _ in entries)
            if identity not in known:
                known[identity] = len(groups)
                groups.append(entries)
            group_of.append(known[identity])
        return groups, pl.Series("group", group_of, dtype=pl.UInt32).gather(code)

    def _candidates(
        self, reading: Reading | None, start: str | None
    ) -> tuple[tuple[Pattern, str | None], ...]:
        if reading is None or start is None:
            return ()
        key = ("\0".join(program.name for program in reading.programs), start)
        if key not in self._groups:
            if len(self._groups) > 100_000:
                self._groups.clear()
            self._groups[key] = reading.candidates(start)
        return self._groups[key]

    def _match(
        self, piece: pl.DataFrame, entries: tuple[tuple[Pattern, str | None], ...]
    ) -> tuple[list[Part], pl.Series]:
        """Try the patterns in turn; return what they know and the rows that are left."""
        parts: list[Part] = []
        for pattern, service in entries:
            if not len(piece):
                break
            found, piece = apply(self._form_of(pattern), piece)
            if len(found):
                parts.append(Part(pattern, service, found))
        return parts, piece["row"]


def apply(shape: Form, piece: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Split a frame into the lines that a pattern's form knows, with their fields, and the others."""
    rest = piece["rest"]
    if shape.always is None:
        ok = rest.str.contains(shape.regex)
        if shape.suffix:
            ok &= rest.str.ends_with(shape.suffix)
        return piece.filter(ok).drop("rest"), piece.filter(~ok)
    fields = rest.str.extract_groups(shape.regex).struct.unnest()
    ok = fields[shape.always].is_not_null()
    if shape.suffix:
        # The suffix must not be counted twice: free text before it may be empty, never negative.
        ok &= rest.str.ends_with(shape.suffix)
        if shape.tail is not None:
            ok &= fields[shape.tail].str.ends_with(shape.suffix)
    everything = ok.all()
    others = piece.clear() if everything else piece.filter(~ok)
    if not everything:
        piece, fields = piece.filter(ok), fields.filter(ok)
    casts = [
        pl.col(name).cast(DTYPES[BY_NAME[name].kind], strict=False)
        for name in shape.captures
        if BY_NAME[name].kind != "str"
    ]
    if shape.suffix and shape.tail is not None:
        casts.append(pl.col(shape.tail).str.head(-len(shape.suffix)))
    if shape.always == MATCHED:
        fields = fields.drop(MATCHED)
    if casts:
        fields = fields.with_columns(casts)
    dropped = ("rest", "queue_id") if "queue_id" in shape.captures else ("rest",)
    return pl.concat([piece.drop(dropped), fields], how="horizontal"), others


def dense_codes(key: pl.Series, values: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Number equal keys 0, 1, ...; return the number of each row and one value per number."""
    first = key.arg_unique()
    first = first.gather(key.gather(first).arg_sort())
    return (key.rank("dense") - 1).cast(pl.UInt32), values.gather(first)


def _strip_queue_id(
    text: pl.Series, row_reading: pl.Series, readings: list[Reading | None]
) -> tuple[pl.Series, pl.Series]:
    """Queue id (null for none and for NOQUEUE) and the text after it."""
    strips = [reading is not None and reading.strip for reading in readings]
    if not any(strips):
        return pl.Series("queue_id", [None], dtype=pl.String).new_from_index(0, len(text)), text
    queue_id = text.str.extract(FAST_QUEUE_ID, 1)
    if not all(strips[1:]) or row_reading.min() == UNKNOWN:
        mine = pl.Series(strips).gather(row_reading)
        queue_id = pl.select(pl.when(mine).then(queue_id)).to_series()
    cut = (queue_id.str.len_bytes().cast(pl.Int64) + 2).fill_null(0)
    both = pl.select(
        pl.when(queue_id != "NOQUEUE").then(queue_id).alias("queue_id"), text.str.slice(cut).alias("rest")
    )
    return both["queue_id"], both["rest"]
