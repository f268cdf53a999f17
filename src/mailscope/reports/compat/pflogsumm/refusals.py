"""Counts lines of smtpd and postscreen that tell of refusals, by SMTP command, reason and whom it struck."""

from __future__ import annotations

from typing import Final

import polars as pl

from mailscope.reports.compat.pflogsumm.columns import counted, narrow
from mailscope.reports.compat.pflogsumm.options import Settings
from mailscope.reports.compat.pflogsumm.picked import REFUSALS, Picked
from mailscope.reports.compat.pflogsumm.rejections import Wishes, rejection

_HOW: Final = "reject(?:_warning)?|hold|discard"
_WHOLE: Final = rf"(?:{_HOW}): (?P<command>[^[:space:]]+) from (?P<client>[^[:space:]]+?): (?P<said>.*)$"
# The envelope as smtpd writes it at a line's end (Postfix: smtpd_chat.c, log_whatsup in smtpd_check.c).
_ENVELOPE: Final = r"^ from=<[^<>]*> to=<[^<>]+> proto=[A-Z]+(?: helo=<[^ =]*>)?$"
_BEGIN: Final = "; from=<"
_HIDDEN: Final = "x"


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
        for (told, command, client, said), count in counted(
            _alike(lines, wishes), "how", "command", "client", "said"
        ).items():
            path = rejection(command, client, said, wishes)
            picked.count_detail(REFUSALS[told], path, count)
    return lines.filter(pl.col("how") == "reject")


def _alike(lines: pl.DataFrame, wishes: Wishes) -> pl.DataFrame:
    """The parts of each line, without what no count depends on, so that most lines are like others."""
    cut = _by_position(lines)
    # 1.1.5 takes the last place in a line that looks right, 1.3.0 only the text's beginning.
    current = wishes.release == "1.3.0"
    sound = (
        (current | ~cut["said"].str.contains(_HOW))
        & (cut["words"] == cut["command"].str.len_chars())
        & narrow(lines["text"])
        & ~cut["client"].str.contains("^$|[[:space:]]")
    ).fill_null(False)
    if not sound.all():
        whole = "^" + _WHOLE if current else rf"^.* (?-u:\b){_WHOLE}"
        parts = pl.col("text").str.extract_groups(whole)
        odd = lines.filter(~sound).select("how", parts.alias("parts")).unnest("parts")
        cut = pl.concat([odd, cut.filter(sound).select("how", "command", "client", "said")])
    if wishes.verbose or wishes.add_sender or wishes.add_recipient:
        return cut
    short = pl.col("command").is_in(
        ["RCPT", "DATA", "CONNECT", "BDAT"] if current else ["RCPT", "DATA", "CONNECT"]
    )
    said = _without_envelope(cut["said"])
    return cut.with_columns(pl.when(short).then(said).otherwise("said").alias("said"))


def _by_position(lines: pl.DataFrame) -> pl.DataFrame:
    """Command, client and what was said, where they mostly are; ``words``: where `` from `` begins."""
    text = pl.col("text")
    lines = lines.select("how", text.str.slice(text.str.find(rf"(?:{_HOW}): ")).alias("text"))
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


def _without_envelope(said: pl.Series) -> pl.Series:
    """What was said, without sender and recipient where they are not shown."""
    place = said.str.find(_BEGIN, literal=True)
    frame = pl.DataFrame({"said": said, "place": place})
    before, after = (
        pl.col("said").str.slice(0, pl.col("place")),
        pl.col("said").str.slice(pl.col("place") + 1),
    )
    frame = frame.with_columns(before.alias("before"), after.alias("after"))
    # The reason must be told before the envelope, or the envelope would be part of it.
    kept = frame["after"].str.contains(_ENVELOPE) & frame["before"].str.contains("[:;] [^;,]")
    kept = kept.fill_null(False) & narrow(said)
    by_sender = pl.col("before").str.contains("Sender address rejected", literal=True)
    by_recipient = pl.col("before").str.contains("Recipient address rejected|User unknown")
    sender = pl.col("after").str.slice(7, pl.col("after").str.find(">", literal=True) - 7)
    behind = pl.col("after").str.slice(pl.col("after").str.find("> to=<", literal=True) + 6)
    recipient = behind.str.slice(0, behind.str.find(">", literal=True))
    short = pl.concat_str(
        "before", pl.lit("; from=<"), pl.when(by_sender).then(sender).otherwise(pl.lit(_HIDDEN)),
        pl.lit("> to=<"), pl.when(by_recipient).then(recipient).otherwise(pl.lit(_HIDDEN)), pl.lit(">"),
    )  # fmt: skip
    return frame.select(pl.when(kept).then(short).otherwise("said").alias("said"))["said"]
