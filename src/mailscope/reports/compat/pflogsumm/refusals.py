"""Counts lines of smtpd and postscreen that tell of refusals, by SMTP command, reason and whom it struck."""

from __future__ import annotations

from typing import Final

import polars as pl

from mailscope.reports.compat.pflogsumm.alike import count_alike
from mailscope.reports.compat.pflogsumm.columns import counted, narrow
from mailscope.reports.compat.pflogsumm.options import Settings
from mailscope.reports.compat.pflogsumm.picked import REFUSALS, Picked
from mailscope.reports.compat.pflogsumm.rejections import Wishes, rejection

_HOW: Final = "reject(?:_warning)?|hold|discard"
_WHOLE: Final = rf"(?:{_HOW}): (?P<command>[^[:space:]]+) from (?P<client>[^[:space:]]+?): (?P<said>.*)$"


def count_refusals(
    lines: pl.DataFrame, picked: Picked, settings: Settings, how: pl.Expr | None = None
) -> pl.DataFrame:
    """Count lines; ``how`` tells which section each belongs to, by default its text's first word.

    Out: those lines that say "reject".
    """
    how = how if how is not None else pl.col("text").str.extract(rf"^({_HOW})")
    lines = lines.with_columns(how.alias("how"))
    picked.count_traffic("rejected", lines)
    for told, count in lines.group_by("how").len().iter_rows():
        picked.numbers[REFUSALS[told]] += count
    if settings.limit("reject-detail") != 0:
        wishes = Wishes(
            settings.release, settings.munging, settings.has("verbose-msg-detail"),
            settings.has("rej-add-from"), settings.has("rej-add-to"),
        )  # fmt: skip
        rest = count_alike(_parts(lines, wishes), picked, wishes)
        for (told, command, client, said), count in counted(rest, "how", "command", "client", "said").items():
            path = rejection(command, client, said, wishes)
            picked.count_detail(REFUSALS[told], path, count)
    return lines.filter(pl.col("how") == "reject")


def _parts(lines: pl.DataFrame, wishes: Wishes) -> pl.DataFrame:
    """How, command, client and what was said; ``regular``: found by position, in plain characters."""
    # 1.1.5 takes the last place in a line that looks right, 1.3.0 only the text's beginning.
    current = wishes.release == "1.3.0"
    cut = _by_position(lines, "" if current else " ")
    sound = (
        (current | ~cut["said"].str.contains(rf"(?:{_HOW}): "))
        & (cut["words"] == cut["command"].str.len_bytes())
        & narrow(lines["text"])
        & ~cut["client"].str.contains("^$|[[:space:]]")
    ).fill_null(False)
    cut = cut.select("how", "command", "client", "said", sound.alias("regular"))
    if sound.all():
        return cut
    whole = "^" + _WHOLE if current else rf"^.* (?-u:\b){_WHOLE}"
    parts = pl.col("text").str.extract_groups(whole)
    odd = lines.filter(~sound).select("how", parts.alias("parts")).unnest("parts")
    return pl.concat([odd.with_columns(pl.lit(value=False).alias("regular")), cut.filter(sound)])


def _by_position(lines: pl.DataFrame, before: str) -> pl.DataFrame:
    """Command, client and what was said, where they mostly are; ``words``: where `` from `` begins.

    ``before``: what stands before the word that says how.
    """
    text = pl.col("text")
    lines = lines.select(
        "how", text.str.slice(text.str.find(rf"{before}(?:{_HOW}): ") + len(before)).alias("text")
    )
    lines = lines.with_columns(text.str.slice(text.str.find(" ", literal=True) + 1).alias("text"))
    lines = lines.with_columns(
        text.str.find(" from ", literal=True).alias("words"),
        text.str.slice(0, text.str.find(" ", literal=True)).alias("command"),
        text.str.slice(text.str.find(" from ", literal=True) + len(" from ")).alias("text"),
    )
    return lines.select(
        "how", "words", "command", text.str.slice(0, text.str.find(": ", literal=True)).alias("client"),
        text.str.slice(text.str.find(": ", literal=True) + 2).alias("said"),
    )  # fmt: skip
