"""Lines of Exim's own log files: a stamp and the text, with neither host nor tag.

    2026-11-22 04:00:42 1xWhQ7-00002n-0S <= alice@example.org ...
    2026-11-22 04:00:42.123 +0100 [4711] 1xWhQ7-00000000Bck-0SfH Completed
    2026-11-22 04:00:42 Start queue run: pid=4711

With log_selector = +millisec, +pid and log_timezone; the process id becomes that of the tag ``exim``.  From
log.c and tod.c of Exim 4.96 (4.97 made message ids longer).  What begins with a message id is Exim's for
sure; the other lines are told by the words that Exim begins them with.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from mailscope.intake.envelopes.header import Header, all_or_mask
from mailscope.intake.envelopes.iso import offset, wall_clock

STAMP: Final = (
    r"^(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2}) (?P<minute>[0-9]{2}:[0-9]{2}):(?P<second>[0-9]{2})"
    r"(?:\.(?P<fraction>[0-9]{3}))?(?: (?P<zone>[+-][0-9]{4}))?(?: \[(?P<pid>[0-9]+)\])? "
)
MESSAGE_ID: Final = r"[0-9A-Za-z]{6}-(?:[0-9A-Za-z]{6}-[0-9A-Za-z]{2}|[0-9A-Za-z]{11}-[0-9A-Za-z]{4}) "
# How lines begin that name no message.
WORDS: Final = (
    r"exim [0-9]|Exim |(?:Start|End|Abandon) (?:'[^']*' )?queue run|[Qq]ueue run|"
    r"SMTP (?:connection|call|command|data|protocol|syntax) |H=|U=|F=<|[a-z_A-Z0-9-]+ authenticator failed |"
    r"no (?:host name|IP address|MAIL|immediate) |TLS |\[[0-9A-Fa-f:.]+\] |"
    r"(?:temporarily )?(?:rejected|refused|unqualified|discarded) |(?:temporarily )?refused connection |"
    r"[Cc]onnection from |unexpected |VRFY |EXPN |ETRN |Warning: |pid [0-9]+: |daemon|socket bind|listen|"
    r"cwd=|re-exec |failed |Failed |[Cc]annot |Could|unable to |Spool |spool |too many |ignoring |lost |"
    r"<[^>]*>: |DKIM|SPF|DMARC|DANE|Long |Process |fork|string too|expansion |setrlimit|remote host |"
    r"no ACL |ACL |sender verify |local_scan|Received |Retry |log directory|== |\*\* |message |Message "
)
SNIFF: Final = f"{STAMP}(?:{MESSAGE_ID}|{WORDS})"
FORM: Final = rf"{STAMP}(?P<text>.*)$"
# A line of another program's, with host and tag behind a stamp of the same form, is not Exim's.
FOREIGN: Final = r"^[A-Za-z0-9][A-Za-z0-9.-]* [A-Za-z][A-Za-z0-9_./-]*(?:\[[0-9]+\])?: "
TAG: Final = "exim"


def parse(lines: pl.Series) -> Header:
    """Take lines apart."""
    found = lines.str.extract_groups(FORM).struct.unnest()
    wall = wall_clock(found)
    text = found["text"].fill_null("")
    ok = wall.is_not_null() & ~(text.str.contains(FOREIGN) & ~text.str.contains(f"^(?:{WORDS})"))
    tag = found.select(
        pl.when(pl.col("pid").is_null())
        .then(pl.lit(TAG))
        .otherwise(pl.concat_str(pl.lit(f"{TAG}["), "pid", pl.lit("]")))
    ).to_series()
    zone = found["zone"]
    if not zone.null_count():
        return Header(None, tag, text, time=wall - offset(zone), ok=all_or_mask(ok))
    if zone.null_count() == len(zone):
        return Header(None, tag, text, local=wall, ok=all_or_mask(ok))
    zoned = zone.is_not_null()
    both = pl.select(time=pl.when(zoned).then(wall - offset(zone)), local=pl.when(~zoned).then(wall))
    return Header(None, tag, text, time=both["time"], local=both["local"], ok=all_or_mask(ok))
