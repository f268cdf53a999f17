"""How much of a log the patterns know, and what the other lines look like.

In: recognised chunks.  Out: per program, lines known and not; the unknown lines of programs that have
patterns, grouped into shapes with a count and a sample; programs that have none, apart.

Memory is bounded: past ``MOST_SHAPES`` or ``MOST_PROGRAMS`` (a hostile log can make up as many as it
likes) the rarest are pooled into one row per program, whose shape is null, or one row for all programs.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final

import polars as pl

from mailscope.recognise.events import Events
from mailscope.recognise.shape import shape

MOST_SHAPES: Final = 20_000
MOST_PROGRAMS: Final = 5_000
OTHERS: Final = "(others)"
PROGRAMS: Final = {"program": pl.String, "covered": pl.Boolean, "lines": pl.Int64, "recognised": pl.Int64}
SAMPLE: Final = {"sample": pl.String, "source": pl.String, "line_number": pl.Int64}
SHAPES: Final = {"program": pl.String, "covered": pl.Boolean, "shape": pl.String, "count": pl.Int64} | SAMPLE
# Beyond what the shape of a reason leaves out, the numbers of a line tell nothing about its form.
NUMBER: Final = "[0-9]+"
# A sample is for reading: a line of megabytes is cut.
LONGEST_SAMPLE: Final = 2_000


@dataclass
class Coverage:
    """Counts of lines by program, and of the shapes of unrecognised ones.

    ``programs``: program (null: no tag), covered, lines, recognised.  ``shapes``: program, covered,
    shape, count, and a sample with its source and line number; programs without patterns have one row
    each, its shape null.
    """

    programs: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=PROGRAMS))
    shapes: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=SHAPES))
    blank: int = 0
    duplicate: int = 0

    def add(self, events: Events) -> None:
        """Count a chunk."""
        self.blank += events.blank
        self.duplicate += events.duplicate
        lines = _lines(events)
        self.programs = _pool_programs(
            pl.concat([self.programs, _by_program(lines)])
            .group_by("program", "covered", maintain_order=True)
            .agg(pl.col("lines", "recognised").sum())
        )
        unknown = lines.filter(~pl.col("known"))
        if len(unknown):
            self.shapes = _pool_shapes(_merge_shapes(pl.concat([self.shapes, _by_shape(unknown, events)])))

    def judged(self) -> Coverage:
        """The counts at the end of a run, when it is known whether lines without a tag mean anything.

        Some programs write none (qmail under multilog).  Where not one line without a tag was
        recognised, no such program is there, and they count as a program that is not covered.
        """
        untagged = pl.col("program").is_null()
        if self.programs.filter(untagged & (pl.col("recognised") > 0)).height:
            return self
        covered = pl.col("covered") & ~untagged
        shapes = self.shapes.with_columns(covered, pl.when(covered).then(pl.col("shape")))
        return replace(self, programs=self.programs.with_columns(covered), shapes=_merge_shapes(shapes))

    def counts(self, covered: bool | None = None) -> tuple[int, int]:
        """Lines and recognised lines: of programs with patterns, of the others, or of all (None)."""
        rows = self.programs if covered is None else self.programs.filter(pl.col("covered") == covered)
        return int(rows["lines"].sum()), int(rows["recognised"].sum())


def _lines(events: Events) -> pl.DataFrame:
    """Each line that counts: row, program, whether patterns read its program, whether one knows it."""
    recognised = events.recognised
    tags = recognised.tags.select(
        pl.col("program").replace("", None),
        # A line without a tag may be any program's; it is held against the patterns of some.
        (pl.col("reading") > 0).alias("covered"),
    )
    known = pl.Series([True]).new_from_index(0, len(events.raw)).scatter(recognised.unrecognised, False)
    lines = tags.select(pl.all().gather(recognised.tag_code)).with_columns(known.alias("known"))
    lines = lines.with_row_index("row")
    return lines if events.alive is None else lines.filter(events.alive)


def _by_program(lines: pl.DataFrame) -> pl.DataFrame:
    return lines.group_by("program", "covered", maintain_order=True).agg(
        pl.len().cast(pl.Int64).alias("lines"), pl.col("known").sum().cast(pl.Int64).alias("recognised")
    )


def _by_shape(unknown: pl.DataFrame, events: Events) -> pl.DataFrame:
    """Shapes of lines that no pattern knows, with the first line of each as its sample."""
    rows = unknown["row"]
    unknown = unknown.with_columns(events.recognised.told.gather(rows).alias("text"))
    covered = unknown.filter("covered").with_columns(
        shape(pl.col("text")).str.replace_all(NUMBER, "N").alias("shape")
    )
    # A shape tells nothing where there is no pattern to mend, and costs time.
    others = unknown.filter(~pl.col("covered")).with_columns(pl.lit(None, pl.String).alias("shape"))
    firsts = (
        pl.concat([covered, others])
        .group_by("program", "covered", "shape", maintain_order=True)
        .agg(pl.len().cast(pl.Int64).alias("count"), pl.col("row").first())
    )
    rows = firsts["row"]
    return firsts.with_columns(
        events.raw.gather(rows).str.slice(0, LONGEST_SAMPLE).alias("sample"),
        pl.lit(events.source).alias("source"),
        events.number.gather(rows).cast(pl.Int64).alias("line_number"),
    ).select(list(SHAPES))


def _merge_shapes(shapes: pl.DataFrame) -> pl.DataFrame:
    return shapes.group_by("program", "covered", "shape", maintain_order=True).agg(
        pl.col("count").sum(), pl.col(list(SAMPLE)).first()
    )


def _pool_shapes(shapes: pl.DataFrame) -> pl.DataFrame:
    """Keep the most frequent shapes; what is rarer becomes one row per program, its shape null."""
    if len(shapes) <= MOST_SHAPES:
        return shapes
    shapes = shapes.sort("count", descending=True, maintain_order=True)
    rare = shapes.slice(MOST_SHAPES // 2).with_columns(pl.lit(None, pl.String).alias("shape"))
    pooled = _merge_shapes(pl.concat([shapes.head(MOST_SHAPES // 2), rare]))
    if len(pooled) <= MOST_SHAPES:
        return pooled
    # As many programs as shapes: their names are made up.
    pooled = pooled.sort("count", descending=True, maintain_order=True)
    nameless = pooled.slice(MOST_SHAPES // 2).with_columns(pl.lit(OTHERS).alias("program"))
    return _merge_shapes(pl.concat([pooled.head(MOST_SHAPES // 2), nameless]))


def _pool_programs(programs: pl.DataFrame) -> pl.DataFrame:
    """Keep the programs with most lines; the others become one row."""
    if len(programs) <= MOST_PROGRAMS:
        return programs
    programs = programs.sort("lines", descending=True, maintain_order=True)
    rare = programs.slice(MOST_PROGRAMS // 2).with_columns(pl.lit(OTHERS).alias("program"))
    rare = rare.group_by("program", "covered").agg(pl.col("lines", "recognised").sum())
    kept = pl.concat([programs.head(MOST_PROGRAMS // 2), rare])
    return kept.group_by("program", "covered", maintain_order=True).agg(pl.col("lines", "recognised").sum())
