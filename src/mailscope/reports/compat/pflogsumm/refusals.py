"""Counts lines of smtpd and postscreen that tell of refusals, by SMTP command, reason and whom it struck."""

from __future__ import annotations

from collections import Counter
from typing import Final

import polars as pl

from mailscope.reports.compat.pflogsumm.columns import counted
from mailscope.reports.compat.pflogsumm.options import Settings
from mailscope.reports.compat.pflogsumm.picked import REFUSALS, Picked
from mailscope.reports.compat.pflogsumm.rejections import Wishes, rejection

_HOW: Final = "reject(?:_warning)?|hold|discard"
_WHOLE: Final = rf"(?:{_HOW}): (?P<command>[^[:space:]]+) from (?P<client>[^[:space:]]+?): (?P<said>.*)$"


def count_refusals(lines: pl.DataFrame, picked: Picked, settings: Settings, how: pl.Expr | None = None) -> pl.DataFrame:
    """Count lines; ``how`` tells which section each belongs to, by default its text's first word.

    Out: those lines that say "reject".
    """
    how = how if how is not None else pl.col("text").str.extract(rf"^({_HOW})")
    # 1.1.5 takes the last place in a line that looks right, 1.3.0 only the text's beginning.
    whole = "^" + _WHOLE if settings.current else rf"^.* (?-u:\b){_WHOLE}"
    parts = pl.col("text").str.extract_groups(whole)
    lines = lines.with_columns(how.alias("how"), parts.alias("parts")).unnest("parts")
    picked.count_traffic("rejected", lines)
    for how_told, count in lines.group_by("how").len().iter_rows():
        picked.numbers[REFUSALS[how_told]] += count
    if settings.limit("reject-detail") != 0:
        wishes = Wishes(
            settings.release, settings.munging, settings.has("verbose-msg-detail"),
            settings.has("rej-add-from"), settings.has("rej-add-to"),
        )  # fmt: skip
        details: dict[str, Counter[tuple[str, ...]]] = {}
        for (told, text, command, client, said), count in counted(
            lines, "how", "text", "command", "client", "said"
        ).items():
            path = rejection(text, command, client, said, wishes)
            details.setdefault(REFUSALS[told], Counter())[path] += count
        for section, counts in details.items():
            picked.add_details(section, counts)
    return lines.filter(pl.col("how") == "reject")
