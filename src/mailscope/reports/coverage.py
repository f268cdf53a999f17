"""What ``mailscope coverage`` says: shares, programs, shapes of unrecognised lines.

In: the counts of a run.  Out: plain values for JSON, which the command line renders as text as well.
"""

from __future__ import annotations

from typing import Any

import polars as pl

from mailscope.recognise.coverage import Coverage


def summary(found: Coverage, top: int) -> dict[str, Any]:
    """The counts as a dictionary; lists of shapes and of uncovered programs have ``top`` rows at most.

    ``lines`` adds up: read = recognised + unrecognised + blank + duplicate.  Shares are percentages, null
    where there is no line; ``program`` is null for lines that carry no tag.
    """
    found = found.judged()
    lines, recognised = found.counts()
    covered_lines, covered_recognised = found.counts(covered=True)
    shapes = found.shapes.filter("covered").sort("count", descending=True, maintain_order=True)
    programs = found.programs.with_columns(
        (pl.col("lines") - pl.col("recognised")).alias("unrecognised"),
        pl.struct("lines", "recognised").map_elements(_row_share, return_dtype=pl.Float64).alias("share"),
    ).sort("lines", descending=True, maintain_order=True)
    uncovered = found.programs.filter(~pl.col("covered"))
    samples = found.shapes.filter(~pl.col("covered")).drop("count", "shape", "covered")
    uncovered = (
        uncovered.select("program", "lines")
        .join(samples, on="program", how="left", nulls_equal=True)
        .sort("lines", descending=True, maintain_order=True)
    )
    return {
        "lines": {
            "read": lines + found.blank + found.duplicate,
            "recognised": recognised,
            "unrecognised": lines - recognised,
            "blank": found.blank,
            "duplicate": found.duplicate,
        },
        "covered": {
            "lines": covered_lines,
            "recognised": covered_recognised,
            "unrecognised": covered_lines - covered_recognised,
            "share": share(covered_recognised, covered_lines),
            "programs": programs.filter("covered").drop("covered").to_dicts(),
            "shapes_found": len(shapes),
            "shapes": shapes.drop("covered").head(top).to_dicts(),
        },
        "not_covered": {
            "lines": lines - covered_lines,
            "programs_found": len(uncovered),
            "programs": uncovered.head(top).to_dicts(),
        },
    }


def share(part: int, whole: int) -> float | None:
    """Percentage, never rounded up to 100; None of nothing."""
    if not whole:
        return None
    return 100.0 if part == whole else min(round(100 * part / whole, 3), 99.999)


def _row_share(row: dict[str, int]) -> float | None:
    return share(row["recognised"], row["lines"])
