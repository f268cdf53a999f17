"""Log files that programs beside the MTA write themselves: a stamp of their own form, no host, no tag.

    2026-11-22 04:00:42.123 #1234(normal) <b120f6>; ...       rspamd.log (logger_file.c)
    Sun Nov 22 04:00:42 2026 -> /tmp/x: Eicar FOUND           clamav.log, freshclam.log (shared/output.c)
    Sun Nov 22 04:00:42 2026 [1234] info: spamd: ...          spamd -s FILE (Logger/File.pm)
    Nov 22 04:00:42 2026 (1234) post to staff from ...        Mailman (Logging/StampedLogger.py, schema.cfg)
    [22-Nov-2026 04:00:42 +0000]: <a1b2c3d4> IMAP Error: ...  Roundcube (rcube.php, write_log)

The form tells the program, whose name becomes the tag.  The zone is the source's, where the stamp has none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import polars as pl

from mailscope.intake.envelopes.header import Header, all_or_mask, nulls
from mailscope.intake.envelopes.iso import offset, wall_clock

CLOCK: Final = r"(?P<minute>[0-9]{2}:[0-9]{2}):(?P<second>[0-9]{2})(?:\.(?P<fraction>[0-9]{1,9}))?"
MONTH: Final = r"(?P<month>[A-Z][a-z]{2})"
YEAR: Final = r"(?P<year>[0-9]{4})"
ZONE: Final = r"(?P<zone>[+-][0-9]{2}:?[0-9]{2})"


@dataclass(frozen=True)
class Form:
    """The lines of one program: its name, and a regex with the groups of the stamp, ``pid`` and ``text``."""

    tag: str
    regex: str


FORMS: Final = (
    Form("rspamd", rf"^(?P<date>[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}) {CLOCK} #(?P<pid>[0-9]+)(?P<text>\(.*)$"),
    Form("clamav", rf"^[A-Z][a-z]{{2}} {MONTH} (?P<day>[ 0-9][0-9]) {CLOCK} {YEAR} -> (?P<text>.*)$"),
    Form(
        "spamd",
        rf"^[A-Z][a-z]{{2}} {MONTH} (?P<day>[ 0-9][0-9]) {CLOCK} {YEAR} \[(?P<pid>[0-9]+)\] (?P<text>.*)$",
    ),
    Form("mailman", rf"^{MONTH} (?P<day>[ 0-9][0-9]) {CLOCK} {YEAR} \((?P<pid>[0-9]+)\) (?P<text>.*)$"),
    Form(
        "roundcube",
        rf"^\[(?P<day>[0-9]{{2}})-{MONTH}-{YEAR} {CLOCK}(?: {ZONE})?\]: (?P<text>.*)$",
    ),
)
SNIFF: Final = (
    r"^(?:[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9:]{8}(?:\.[0-9]+)? #[0-9]+\("
    r"|[A-Z][a-z]{2} [A-Z][a-z]{2} [ 0-9][0-9] [0-9:]{8} [0-9]{4} (?:-> |\[[0-9]+\] )"
    r"|[A-Z][a-z]{2} [ 0-9][0-9] [0-9:]{8} [0-9]{4} \([0-9]+\) "
    r"|\[[0-9]{2}-[A-Z][a-z]{2}-[0-9]{4} [0-9:]{8})"
)


def parse(lines: pl.Series) -> Header:
    """Take lines apart, those of one program after the other."""
    parts = []
    left = pl.int_range(len(lines), dtype=pl.UInt32, eager=True).alias("row")
    for form in FORMS:
        if len(left):
            found = _found(form, lines.gather(left)).with_columns(left).filter(pl.col("text").is_not_null())
            left = left.filter(~left.is_in(found["row"].implode()))
            parts.append(found)
    rest = pl.DataFrame([left, lines.gather(left).alias("text")])
    table = pl.concat([*parts, rest], how="diagonal").sort("row")
    ok = all_or_mask(table["tag"].is_not_null())
    if "local" not in table.columns:
        return Header(None, nulls(len(lines)), table["text"], ok=ok)
    return Header(
        host=None,
        tag=table["tag"],
        text=table["text"],
        time=None if table["time"].null_count() == len(table) else table["time"],
        local=table["local"],
        ok=ok,
    )


def _found(form: Form, lines: pl.Series) -> pl.DataFrame:
    """``tag``, ``text`` and ``local`` or ``time`` of the lines that are of a form; null for the others."""
    found = lines.str.extract_groups(form.regex).struct.unnest()
    if "date" not in found.columns:
        found = found.with_columns(
            date=pl.concat_str("year", "month", pl.col("day").str.strip_chars(), separator=" ")
        )
    wall = wall_clock(found.with_columns(day="date"))
    zone = found["zone"] if "zone" in found.columns else nulls(len(found))
    pid = pl.col("pid") if "pid" in found.columns else pl.lit(None, pl.String)
    zoned = zone.is_not_null()
    return found.select(
        "text",
        tag=pl.when(pl.col("text").is_not_null()).then(
            pl.concat_str(pl.lit(form.tag), pl.concat_str(pl.lit("["), pid, pl.lit("]")).fill_null(""))
        ),
        local=pl.when(~zoned).then(wall),
        time=pl.when(zoned).then(wall - offset(zone)),
    )
