"""``journalctl -o json``: an entry of the journal as an object on a line.

    {"__REALTIME_TIMESTAMP":"1795319942123456","_HOSTNAME":"mx1","SYSLOG_IDENTIFIER":"postfix/smtpd","_PID":"12","MESSAGE":"..."}

``MESSAGE`` is a list of numbers, one per byte, where it is no UTF-8 or holds a control character; it is
missing where it is too long for journalctl to show.  Source: systemd's "Journal Export Formats" and
journalctl(1); field names are those of systemd.journal-fields(7).
"""

from __future__ import annotations

import json
from typing import Final

import polars as pl

from mailscope.intake import priority
from mailscope.intake.envelopes.header import TIME, Header, all_or_mask

# Docker's objects begin with "log": they are intake.containers' business.
SNIFF: Final = r'^\{ ?"[A-Z_]'
MEMBERS: Final = {
    "time": "__REALTIME_TIMESTAMP",
    "host": "_HOSTNAME",
    "name": "SYSLOG_IDENTIFIER",
    "command": "_COMM",
    "logged_pid": "SYSLOG_PID",
    "pid": "_PID",
    "facility": "SYSLOG_FACILITY",
    "severity": "PRIORITY",
    "text": "MESSAGE",
}
DEFAULT_FACILITY: Final = 1  # user, as journald has it for what came not from syslog


def parse(lines: pl.Series) -> Header:
    """Take lines apart; what is no such object, or has no time, is not of this form."""
    found = pl.DataFrame({name: lines.str.json_path_match(f"$.{member}") for name, member in MEMBERS.items()})
    pid = pl.coalesce("logged_pid", "pid")
    name = pl.coalesce("name", "command")
    facility = pl.col("facility").cast(pl.Int64, strict=False).fill_null(DEFAULT_FACILITY)
    severity = pl.col("severity").cast(pl.Int64, strict=False)
    parts = found.select(
        time=pl.col("time").cast(pl.Int64, strict=False),
        host="host",
        # The tag in BSD form, so that recognition sees one form only.
        tag=pl.when(pid.str.contains("^[0-9]+$"))
        .then(pl.concat_str(name, pl.lit("["), pid, pl.lit("]")))
        .otherwise(name),
        text=pl.col("text").fill_null("").str.replace_all("\n", " ", literal=True),
        pri=pl.when(facility.is_between(0, len(priority.FACILITIES) - 1), severity.is_between(0, 7)).then(
            facility * 8 + severity
        ),
    )
    text = parts["text"]
    rows = (text.str.starts_with("[") & lines.str.contains(r'"MESSAGE" ?: ?\[')).arg_true()
    if len(rows):
        text = text.scatter(rows, pl.Series([_bytes(value) for value in text.gather(rows)], dtype=pl.String))
    return Header(
        parts["host"],
        parts["tag"],
        text,
        time=parts["time"].cast(TIME),
        pri=parts["pri"],
        ok=all_or_mask(parts["time"].is_not_null()),
    )


def _bytes(value: str) -> str:
    """A text given as a list of its bytes; as it is where it is no such list."""
    try:
        return bytes(json.loads(value)).decode(errors="replace").replace("\n", " ")
    except (ValueError, TypeError):
        return value
