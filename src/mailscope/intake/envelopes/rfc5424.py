"""RFC 5424: ``<PRI>1 STAMP HOST APP-NAME PROCID MSGID STRUCTURED-DATA MSG``."""

from __future__ import annotations

from typing import Final

import polars as pl

from mailscope.intake import priority
from mailscope.intake.envelopes import iso
from mailscope.intake.envelopes.header import Header, all_or_mask

SNIFF: Final = r"^<[0-9]{1,3}>[1-9][0-9]{0,2} (?:[0-9]{4}-|- )"
FORM: Final = (
    r"^<(?P<pri>[0-9]{1,3})>[1-9][0-9]{0,2} "
    r"(?:-|(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2})T(?P<minute>[0-9]{2}:[0-9]{2}):(?P<second>[0-9]{2})"
    r"(?:\.(?P<fraction>[0-9]{1,9}))?(?P<zone>Z|[+-][0-9]{2}:[0-9]{2})) "
    r"(?P<host>[^ ]+) (?P<app>[^ ]+) (?P<procid>[^ ]+) (?P<msgid>[^ ]+) "
    # A quoted value of structured data may hold brackets, and an escaped quote or bracket.
    r'(?P<data>-|(?:\[(?:[^"\]]|"(?:[^"\\]|\\.)*")*\])+)(?: (?P<text>.*))?$'
)


def parse(lines: pl.Series) -> Header:
    """Take lines apart; ``-`` (NILVALUE) becomes null."""
    found = lines.str.extract_groups(FORM).struct.unnest()
    ok = found["pri"].is_not_null()
    nil = {name: pl.when(pl.col(name) != "-").then(pl.col(name)) for name in ("host", "app", "procid")}
    parts = found.select(
        host=nil["host"],
        # The tag in BSD form, so that recognition sees one form only.
        tag=pl.when(nil["procid"].str.contains("^[0-9]+$"))
        .then(pl.concat_str(nil["app"], pl.lit("["), nil["procid"], pl.lit("]")))
        .otherwise(nil["app"]),
        text=pl.col("text").fill_null("").str.strip_prefix("\ufeff").str.strip_chars_start(" "),
        pri=pl.when(pl.col("pri").cast(pl.Int64) < priority.MOST).then(pl.col("pri").cast(pl.Int64)),
    )
    time = iso.wall_clock(found) - iso.offset(found["zone"])
    return Header(parts["host"], parts["tag"], parts["text"], time=time, pri=parts["pri"], ok=all_or_mask(ok))
