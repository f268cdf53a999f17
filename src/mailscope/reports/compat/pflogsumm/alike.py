"""Refusals whose reason stands before the envelope that smtpd writes at a line's end: nearly all.

Such reasons are few once the address is gone that many lines name first, so each is looked at once, and
the lines are counted in columns.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from mailscope.reports.compat.pflogsumm.columns import mapped
from mailscope.reports.compat.pflogsumm.hosts import host_domain, older_domain
from mailscope.reports.compat.pflogsumm.picked import REFUSALS, Picked
from mailscope.reports.compat.pflogsumm.rejections import Whom, Wishes, told_before

# Postfix: smtpd_chat.c, log_whatsup in smtpd_check.c.
_ENVELOPE: Final = r"^ from=<[^<>]*> to=<[^<>]+> proto=[A-Z]+(?: helo=<[^ =]*>)?$"
_BEGIN: Final = "; from=<"
_FROM: Final = len(" from=<")
_TO: Final = "> to=<"
# A reply code, and whom it is about: the reason begins behind that.
_NAMED: Final = r"^[0-9]{3} (?:[0-9]\.[0-9]\.[0-9] )?<[^<>:; ]*>: "
# 1.1.5 takes such an address out wherever it stands.
_NAMED_LATER: Final = "^.+[0-9]{3} <"
# Within so many characters an angle bracket is taken for the beginning of such an address.
_NAMED_WITHIN: Final = 12


def count_alike(lines: pl.DataFrame, picked: Picked, wishes: Wishes) -> pl.DataFrame:
    """Count those refusals; give the lines of any other form.

    In: ``how``, ``command``, ``client``, ``said`` and ``regular`` of each line, as ``refusals`` finds them.
    """
    if wishes.verbose or wishes.add_sender or wishes.add_recipient or wishes.munging.marks:
        return lines
    current = wishes.release == "1.3.0"
    lines = _with_reasons(lines, current=current)
    told = lines.filter(pl.col("reason").is_not_null())
    for (how,), group in told.with_columns(_whom(told, wishes).alias("whom")).group_by("how"):
        counts = group.group_by("command", "reason", "whom").len("count")
        picked.groups.setdefault(REFUSALS[str(how)], []).append(counts)
    return lines.filter(pl.col("reason").is_null())


def _with_reasons(lines: pl.DataFrame, *, current: bool) -> pl.DataFrame:
    """Add ``after`` (the envelope), ``reason`` and ``kind`` (Whom); null where the line has another form."""
    said, place, before = pl.col("said"), pl.col("place"), pl.col("before")
    lines = lines.with_columns(said.str.find(_BEGIN, literal=True).alias("place"))
    lines = lines.with_columns(
        said.str.slice(0, place).alias("before"), said.str.slice(place + 1).alias("after")
    )
    lines = lines.with_columns(before.str.contains(_NAMED).alias("named"))
    alike = (
        pl.col("regular")
        & pl.col("command").is_in(["RCPT", "DATA", "CONNECT", *(["BDAT"] if current else [])])
        & (place >= _NAMED_WITHIN)
        & (pl.col("named") | ~before.str.slice(0, _NAMED_WITHIN).str.contains("<", literal=True))
        & ~before.str.contains("(?:from|to)=<")
        & pl.col("after").str.contains(_ENVELOPE)
    )
    if not current:
        alike &= ~before.str.contains(_NAMED_LATER)
    behind = pl.concat_str(
        before.str.slice(0, before.str.find("<", literal=True) + 1),
        before.str.slice(before.str.find(">", literal=True)),
    )
    key = pl.when(alike).then(pl.when("named").then(behind).otherwise(before))
    lines = lines.with_columns(key.alias("key"))
    found = {key: told_before(key, current=current) for key in lines["key"].drop_nulls().unique().to_list()}
    sure = {key: told for key, told in found.items() if told is not None}
    return lines.with_columns(
        _looked_up({key: reason for key, (reason, _) in sure.items()}).alias("reason"),
        _looked_up({key: str(kind) for key, (_, kind) in sure.items()}).alias("kind"),
    )


def _looked_up(values: dict[str, str]) -> pl.Expr:
    return pl.col("key").replace_strict(
        list(values), list(values.values()), default=None, return_dtype=pl.String
    )


def _whom(lines: pl.DataFrame, wishes: Wishes) -> pl.Series:
    """What is counted below the reason of each line: ``rejections.rejection`` in columns."""
    after = pl.col("after")
    behind = after.str.slice(after.str.find(_TO, literal=True) + len(_TO))
    sender = after.str.slice(_FROM, after.str.find(">", literal=True) - _FROM)
    sender = pl.when(sender == "").then(pl.lit("<>")).otherwise(sender)
    recipient = behind.str.slice(0, behind.str.find(">", literal=True))
    if wishes.munging.ignore_case:
        sender, recipient = sender.str.to_lowercase(), recipient.str.to_lowercase()
    if wishes.release == "1.3.0":
        domain = mapped(lines["client"], host_domain)
        named = pl.when(pl.col("client") == "0").then(pl.lit("")).otherwise("domain")
        sender = pl.concat_str(named, pl.lit(" (<"), sender, pl.lit(")"))
    else:
        domain = mapped(lines["client"], older_domain)
    kind = pl.col("kind")
    return lines.with_columns(domain.fill_null("").alias("domain")).select(
        pl.when(kind == Whom.SENDER).then(sender)
        .when(kind == Whom.RECIPIENT).then(recipient)
        .otherwise("domain").alias("whom")
    )["whom"]  # fmt: skip


__all__ = ["count_alike"]
