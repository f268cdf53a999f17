"""Lines of programs that log through another one, before they are held against patterns.

The outer program may leave its own name out, because it writes a log file of its own:

    Jan 01 00:00:00 imap(alice)<11506><2Adx79VgKt9>: Info: Disconnected: ...

What stands before the text is then taken for a tag, or, where it holds a blank, for no tag at all.  The
program's file says in ``nameless`` how such lines look; they are given the tag that is missing, and are read
like all others of the program.  Then their beginning (``opening``) is taken off.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from mailscope.recognise.library import Library, Reading
from mailscope.vocabulary.columns import constant, take


def name_them(library: Library, tag: pl.Series, text: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Tags and texts, with the program's tag put in front of such lines."""
    if not library.nameless:
        return tag, text
    outer = ~tag.str.ends_with("]").fill_null(False)
    if not outer.any():
        return tag, text
    for program in library.nameless:
        for regex, beginning in program.nameless:
            rows = _rows(tag, text, outer, regex, beginning)
            if len(rows):
                said = take(tag, rows)
                whole = pl.select(
                    pl.when(said.is_null())
                    .then(take(text, rows))
                    .otherwise(pl.concat_str(said, pl.lit(": "), take(text, rows)))
                ).to_series()
                name = pl.Series([program.service], dtype=pl.String).new_from_index(0, len(rows))
                # Scattering changes a column where it stands.
                tag, text = tag.clone().scatter(rows, name), text.clone().scatter(rows, whole)
                outer = outer.scatter(rows, False)
    return tag, text


def _rows(tag: pl.Series, text: pl.Series, outer: pl.Series, regex: str, beginning: str) -> pl.Series:
    """The rows without process id whose tag and text are of this form."""
    rows = outer.arg_true()
    said = take(tag, rows)
    # Few logs have many tags without a process id, so that a look at each of them once is cheap.
    distinct = said.drop_nulls().unique()
    tagged = distinct.filter(distinct.str.contains(f"^(?:{regex})$"))
    fits = said.is_null()
    if len(tagged):
        fits |= said.is_in(tagged.implode()).fill_null(False)
    rows = rows.filter(fits)
    said = said.filter(fits)
    bare = take(text, rows)
    matches = pl.select(
        pl.when(said.is_null())
        .then(bare.str.contains(f"^(?:{regex}): (?:{beginning})"))
        .otherwise(bare.str.contains(f"^(?:{beginning})"))
    ).to_series()
    return rows.filter(matches)


def open_lines(
    tag: pl.Series, text: pl.Series, row_reading: pl.Series, readings: Sequence[Reading | None]
) -> tuple[pl.Series, pl.Series, pl.DataFrame]:
    """Take the beginnings off the lines of programs that others log through.

    Out: tags ``outer: inner[pid]``, texts proper, and a frame with the fields that the beginnings give (null
    for all other lines) and ``told``: the inner program's name and the text proper.  The inner process id
    counts before that of the outer program, which is the same for all.
    """
    fields: dict[str, pl.Series] = {}
    # Scattering changes a column where it stands.
    tag, body, told = tag.clone(), text.clone(), text.clone().rename("told")
    for number, reading in enumerate(readings):
        opening = None if reading is None else reading.opening
        if opening is None:
            continue
        rows = (row_reading == number).arg_true()
        found = opening.split(take(text, rows))
        begun = found["inner"].is_not_null()
        rows, found = rows.filter(begun), found.filter(begun)
        outer = take(tag, rows).str.extract_groups(r"^(.*?)(?:\[([0-9]+)\])?$").struct.unnest()
        pid = pl.coalesce(found["pid"], outer["2"])
        inner = pl.select(
            pl.concat_str(outer["1"], pl.lit(": "), found["inner"])
            + pl.when(pid.is_not_null())
            .then(pl.concat_str(pl.lit("["), pid, pl.lit("]")))
            .otherwise(pl.lit(""))
        ).to_series()
        tag, body = tag.scatter(rows, inner), body.scatter(rows, found["rest"])
        said = found.select(pl.concat_str("inner", pl.lit(": "), "rest")).to_series()
        told = told.scatter(rows, said)
        for name in opening.fields:
            column = fields.get(name, constant(None, len(text), pl.String, name))
            fields[name] = column.scatter(rows, found[name])
    return tag, body, pl.DataFrame([*fields.values(), told])
