"""The engine: frames of lines in, frames of typed fields out, one per line format that occurred.

Every step works on a whole chunk.  A distinct program tag is resolved once per chunk; lines are
grouped by (program, first four characters of the text), each group is tried against the few patterns
whose literal beginning agrees, and each regex sees only the lines that the ones before it left.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

import polars as pl

from mailscope.recognise.durations import seconds
from mailscope.recognise.library import Candidates, Library, Reading
from mailscope.recognise.nested import name_them, open_lines
from mailscope.recognise.pattern import Pattern
from mailscope.recognise.queue_id import split_queue_ids
from mailscope.recognise.recognised import Part, Recognised
from mailscope.recognise.regex import Form, form
from mailscope.recognise.repeated import repeated, unfolded
from mailscope.vocabulary.columns import take
from mailscope.vocabulary.fields import BY_NAME

DTYPES: Final = {"int": pl.Int64, "float": pl.Float64, "str": pl.String, "time": pl.String}
TAG: Final = r"^(?P<program>.*?)(?:\[(?P<pid>[0-9]+)\])?$"
INNER_TAG: Final = r"^(?P<tag>[A-Za-z][A-Za-z0-9_.-]*(?:\[[0-9]+\])?): (?P<text>.*)$"
# Lines are first parted by this many characters, then, where many patterns share those, by more.
SHALLOW, DEEP = 4, 16
MANY_PATTERNS: Final = 6
MANY_BEGINNINGS: Final = 400
# Polars keeps 32 compiled regexes a thread; for so few lines Python's own, compiled once, are faster.
FEW_LINES: Final = 200
LINE: Final = ("row", "queue_id", "rest")
UNKNOWN: Final = 0
NOBODY: Final = Candidates((), 0)
NOTHING: Final[frozenset[str]] = frozenset()
ALWAYS: Final = frozenset({"queue_id"})


Entries = tuple[tuple[Pattern, str | None], ...]


class Engine:
    """Matches chunks against a library.  Stateless between chunks, so threads may share it.

    ``needed``: the fields that later stages will look at, by event; None captures all.
    """

    def __init__(self, library: Library, needed: Mapping[str, frozenset[str]] | None = None) -> None:
        self.library = library
        self.needed = needed
        self._forms: dict[int, Form] = {}
        self._groups: dict[tuple[int, str, int], Candidates] = {}
        self._same: dict[tuple[int, int, tuple[int, ...]], Candidates] = {}
        # Whether a pattern knew most of the lines when it was last tried at its place among others.
        self._likely: dict[tuple[int, int], bool] = {}

    def _form_of(self, pattern: Pattern) -> Form:
        known = self._forms.get(id(pattern))
        if known is None:
            needed = None if self.needed is None else self.needed.get(pattern.event, NOTHING) | ALWAYS
            known = self._forms[id(pattern)] = form(pattern, needed)
        return known

    def recognise(self, tag: pl.Series, text: pl.Series) -> Recognised:
        """Recognise lines given their program tag (with pid, null for none) and text (both String)."""
        tag, text = self._inner_tags(*name_them(self.library, tag, text))
        whole = self._recognise(tag, text)
        found = repeated(text)
        if found is None:
            return whole
        return unfolded(whole, self._recognise(take(tag, found["row"]), found["within"]), found)

    def _recognise(self, tag: pl.Series, text: pl.Series) -> Recognised:
        tag_code, tags, readings = self._resolve_tags(tag)
        body, opened = text, None
        if any(reading is not None and reading.opening is not None for reading in readings):
            tag, body, opened = open_lines(tag, text, take(tags["reading"], tag_code), readings)
            tag_code, tags, readings = self._resolve_tags(tag)
        row_reading = take(tags["reading"], tag_code)
        queue_id, rest = _strip(body, row_reading, readings)
        start = rest.str.slice(0, SHALLOW)
        groups, group_code = self._group(start, row_reading, readings, SHALLOW)
        frame = pl.DataFrame(
            {
                "row": pl.int_range(len(text), dtype=pl.UInt32, eager=True),
                "queue_id": queue_id,
                "rest": rest,
                "reading": row_reading,
                "group": group_code,
            }
        )
        parts: list[Part] = []
        left: list[pl.Series] = []
        for piece, entries in self._pieces(frame, groups, readings):
            matched, remaining = self._match(piece, entries)
            parts.extend(matched)
            if len(remaining):
                left.append(remaining)
        unrecognised = pl.concat(left).sort() if left else pl.Series("row", [], dtype=pl.UInt32)
        if opened is not None:
            parts = [self._with_opening(part, opened) for part in parts]
            # What is logged through another program is shown under that one's name.
            tags = tags.with_columns(
                pl.col("program").str.splitn(": ", 2).struct.field("field_0").alias("program")
            )
        return Recognised(
            parts, unrecognised, tag_code, tags, text, text if opened is None else opened["told"], rest
        )

    def _pieces(
        self, frame: pl.DataFrame, groups: list[Candidates], readings: list[Reading | None]
    ) -> Iterator[tuple[pl.DataFrame, Entries]]:
        """Lines that may match the same patterns, with those patterns."""
        for piece in frame.partition_by("group", maintain_order=True):
            entries = groups[piece["group"][0]]
            if entries.close > MANY_PATTERNS and len(piece) > 1:
                start = piece["rest"].str.slice(0, DEEP)
                if start.n_unique() <= MANY_BEGINNINGS:
                    deeper, code = self._group(start, piece["reading"], readings, DEEP)
                    piece = piece.drop("group").hstack([code.alias("group")])
                    for part in piece.partition_by("group", maintain_order=True):
                        yield pl.DataFrame([part[name] for name in LINE]), deeper[part["group"][0]].entries
                    continue
            yield pl.DataFrame([piece[name] for name in LINE]), entries.entries

    def _inner_tags(self, tag: pl.Series, text: pl.Series) -> tuple[pl.Series, pl.Series]:
        """A tag inside the text (``splogger: tcpserver: ok``) is the program that wrote the line.

        Looked for where the outer tag is missing or belongs to nobody in particular.
        """
        outer = ~tag.str.ends_with("]").fill_null(False)
        if not outer.any():
            return tag, text
        rows = outer.arg_true()
        inner = take(text, rows).str.extract_groups(INNER_TAG).struct.unnest()
        names = inner["tag"].drop_nulls().unique()
        known = [name for name in names if self._wraps(name.split("[")[0])]
        if not known:
            return tag, text
        outer_names = take(tag, rows)
        wrapping = {name: self._is_wrapper(name or "") for name in outer_names.unique()}
        inside = inner["tag"].is_in(known) & pl.Series(
            [wrapping[name] for name in outer_names], dtype=pl.Boolean
        )
        rows, inner = rows.filter(inside), inner.filter(inside)
        if not len(rows):
            return tag, text
        return tag.scatter(rows, inner["tag"]), text.scatter(rows, inner["text"])

    def _with_opening(self, part: Part, opened: pl.DataFrame) -> Part:
        """The fields of the lines' beginnings added to those that the pattern gives, which come first."""
        pattern, frame = part.pattern, part.frame
        needed = None if self.needed is None else self.needed.get(pattern.event, NOTHING)
        for name in opened.columns:
            if name == "told" or name in pattern.constants or not (needed is None or name in needed):
                continue
            given = take(opened[name], frame["row"])
            if given.null_count() == len(given):
                continue
            if name in frame.columns:
                given = pl.select(pl.coalesce(frame[name], given)).to_series()
            frame = frame.with_columns(given.alias(name))
        return part if frame is part.frame else Part(pattern, part.service, frame)

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
        # A chunk holds thousands of tags (pids), but few programs; only those are looked up in Python.
        programs = tags["program"].unique().to_list()
        readings: list[Reading | None] = [None]
        numbers: list[int] = []
        for program in programs:
            reading = self.library.reading(program)
            numbers.append(UNKNOWN if reading is None else len(readings))
            if reading is not None:
                readings.append(reading)
        known = [readings[number] for number in numbers]
        # Postfix queue ids are unique on a host whatever the daemon calls itself; other MTAs' message
        # numbers only within one program, or those that share its queue.
        shared = pl.Series(
            [reading is not None and reading.strip is not None for reading in known], dtype=pl.Boolean
        )
        name = pl.Series("program", programs, dtype=pl.String)
        queue = pl.Series([reading and reading.queue for reading in known], dtype=pl.String)
        lookup = pl.DataFrame(
            {
                "program": name,
                "reading": pl.Series(numbers, dtype=pl.UInt32),
                "service": pl.Series([r and r.service for r in known], dtype=pl.String),
                "instance": pl.Series([r and r.instance for r in known], dtype=pl.String),
                "salt": pl.select(
                    pl.when(shared).then(0).otherwise(pl.coalesce(queue, name).hash())
                ).to_series(),
            }
        )
        tags = tags.join(lookup, on="program", how="left", maintain_order="left")
        return code, tags, readings

    def _group(
        self, start: pl.Series, row_reading: pl.Series, readings: list[Reading | None], depth: int
    ) -> tuple[list[Candidates], pl.Series]:
        """Number the (reading, first characters) pairs that occur by the patterns they allow."""
        key = start.hash() ^ (row_reading.cast(pl.UInt64) * 0x9E3779B97F4A7C15)
        first = key.arg_unique()
        order = take(key, first).arg_sort()
        first = take(first, order)
        code = (key.rank("dense") - 1).cast(pl.UInt32)
        groups: list[Candidates] = []
        known: dict[int, int] = {}
        group_of: list[int] = []
        for begin, number in zip(take(start, first), take(row_reading, first), strict=True):
            candidates = self._candidates(readings[number], begin, depth)
            if id(candidates) not in known:
                known[id(candidates)] = len(groups)
                groups.append(candidates)
            group_of.append(known[id(candidates)])
        return groups, take(pl.Series("group", group_of, dtype=pl.UInt32), code)

    def _candidates(self, reading: Reading | None, start: str | None, depth: int) -> Candidates:
        """The same object for all beginnings that allow the same patterns."""
        if reading is None or start is None:
            return NOBODY
        key = (id(reading), start, depth)
        known = self._groups.get(key)
        if known is None:
            if len(self._groups) > 100_000:
                self._groups.clear()
            found = reading.candidates(start, depth)
            same = (id(reading), found.close, tuple(id(pattern) for pattern, _ in found.entries))
            known = self._groups[key] = self._same.setdefault(same, found)
        return known

    def _match(self, piece: pl.DataFrame, entries: Entries) -> tuple[list[Part], pl.Series]:
        """Try the patterns in turn; return what they know and the rows that are left."""
        parts: list[Part] = []
        for at, (pattern, service) in enumerate(entries):
            if not len(piece):
                break
            if len(piece) <= FEW_LINES:
                few, left = self._match_few(piece, entries[at:])
                return parts + few, left
            tried = len(piece)
            likely = self._likely.get((id(entries), at), True)
            found, piece = apply(self._form_of(pattern), piece, likely=likely)
            self._likely[id(entries), at] = 2 * len(found) > tried
            if len(found):
                parts.append(Part(pattern, service, found))
        return parts, piece["row"]

    def _match_few(self, piece: pl.DataFrame, entries: Entries) -> tuple[list[Part], pl.Series]:
        """The same for a handful of lines, with Python's regexes."""
        hits: dict[int, list[tuple[int, str | None, dict[str, str | None]]]] = {}
        left: list[int] = []
        for row, queue_id, rest in piece.iter_rows():
            for at, (pattern, _) in enumerate(entries):
                # Compiling costs a millisecond a pattern; most are ruled out by how the text begins.
                found = pattern.compiled.match(rest) if rest.startswith(pattern.literal) else None
                if found is not None:
                    hits.setdefault(at, []).append((row, queue_id, found.groupdict()))
                    break
            else:
                left.append(row)
        parts = []
        for at in sorted(hits):
            pattern, service = entries[at]
            form = self._form_of(pattern)
            parts.append(Part(pattern, service, _frame_of(form, hits[at])))
        return parts, pl.Series("row", left, dtype=pl.UInt32)


def apply(shape: Form, piece: pl.DataFrame, *, likely: bool = True) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Split a frame into the lines that a pattern's form knows, with their fields, and the others.

    Every Polars call costs tens of microseconds whatever its size, and a chunk needs this function
    many times; so the usual case, in which all lines match, takes the fewest calls.  Finding fields costs
    three times as much as a plain test: where a match is not ``likely``, the test comes first.
    """
    if not likely and shape.always is not None:
        known = piece["rest"].str.contains(shape.regex)
        if not known.any():
            return piece.clear(), piece
        if not known.all():
            found, unfit = apply(shape, piece.filter(known))
            others = piece.filter(~known)
            return found, pl.concat([others, unfit]).sort("row") if len(unfit) else others
    rest = piece["rest"]
    fields: pl.DataFrame | None = None
    ok: pl.Series | None
    if shape.always is None:
        ok = rest.str.contains(shape.regex)
    else:
        fields = rest.str.extract_groups(shape.regex).struct.unnest()
        ok = None if fields[shape.always].null_count() == 0 else fields[shape.always].is_not_null()
    if shape.suffix:
        # Where the tail is captured, the suffix must be part of it, not of what stands before.
        tail = rest if shape.tail is None or fields is None else fields[shape.tail]
        ends = tail.str.ends_with(shape.suffix)
        ok = ends if ok is None else ok & ends.fill_null(False)
    if ok is None or ok.all():
        others = piece.clear()
    elif not ok.any():
        return piece.clear(), piece
    else:
        others = piece.filter(~ok)
        piece = piece.filter(ok)
        fields = None if fields is None else fields.filter(ok)
    out = [piece["row"]] if "queue_id" in shape.captures else [piece["row"], piece["queue_id"]]
    if fields is None:
        return pl.DataFrame(out), others
    casts = [
        seconds(pl.col(name))
        if name in shape.durations
        else pl.col(name).cast(DTYPES[BY_NAME[name].kind], strict=False)
        for name in shape.captures
        if BY_NAME[name].kind != "str"
    ]
    if shape.suffix and shape.tail is not None:
        casts.append(pl.col(shape.tail).str.head(-len(shape.suffix)))
    if casts:
        fields = fields.with_columns(casts)
    if "queue_id" in shape.captures and piece["queue_id"].null_count() < len(piece):
        # The id in front of the text counts before one within it.
        fields = fields.with_columns(pl.coalesce(piece["queue_id"], pl.col("queue_id")))
    return pl.DataFrame(out + [fields[name] for name in shape.captures]), others


def _frame_of(form: Form, hits: list[tuple[int, str | None, dict[str, str | None]]]) -> pl.DataFrame:
    """The same frame that ``apply`` makes, from single matches."""
    columns = [pl.Series("row", [row for row, _, _ in hits], dtype=pl.UInt32)]
    stripped = pl.Series("queue_id", [queue_id for _, queue_id, _ in hits], dtype=pl.String)
    if "queue_id" not in form.captures:
        columns.append(stripped)
    for name in form.captures:
        values = pl.Series(name, [fields[name] for _, _, fields in hits], dtype=pl.String)
        if name == "queue_id":
            values = pl.select(pl.coalesce(stripped, values)).to_series()
        if name in form.durations:
            values = values.to_frame().select(seconds(pl.col(name))).to_series()
        columns.append(values.cast(DTYPES[BY_NAME[name].kind], strict=False))
    return pl.DataFrame(columns)


def dense_codes(key: pl.Series, values: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Number equal keys 0, 1, ...; return the number of each row and one value per number."""
    first = key.arg_unique()
    first = take(first, take(key, first).arg_sort())
    return (key.rank("dense") - 1).cast(pl.UInt32), take(values, first)


def _strip(
    text: pl.Series, row_reading: pl.Series, readings: list[Reading | None]
) -> tuple[pl.Series, pl.Series]:
    """Queue id and text proper: what each program's texts begin with is taken off."""
    ways = [reading.strip if reading is not None else None for reading in readings]
    queue_id, rest = split_queue_ids(text, row_reading, ways)
    for number, reading in enumerate(readings):
        if reading is None or reading.leading is None:
            continue
        rows = (row_reading == number).arg_true()
        own, proper = reading.leading.split(take(text, rows))
        # Scattering changes a column where it stands.
        queue_id, rest = queue_id.clone().scatter(rows, own), rest.clone().scatter(rows, proper)
    return queue_id, rest
