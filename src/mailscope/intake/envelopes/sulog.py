"""sulog, which su of shadow and of System V writes: ``SU 11/22 04:00 + tty1 alice-root``.

Its stamp has neither year nor second.  The rest is read as a line of su.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from mailscope.intake.envelopes.header import Header, all_or_mask
from mailscope.intake.envelopes.rfc3164 import MONTHS

SNIFF: Final = r"^SU [0-9]{2}/[0-9]{2} [0-9]{2}:[0-9]{2} [+-] "
FORM: Final = r"^SU (?P<month>[0-9]{2})/(?P<day>[0-9]{2}) (?P<minute>[0-9]{2}:[0-9]{2}) (?P<text>[+-] .*)$"
NAMES: Final = {f"{number:02}": name for number, name in enumerate(MONTHS, 1)}


def parse(lines: pl.Series) -> Header:
    """Take lines apart; the stamp becomes that of BSD syslog, whose year the clock infers."""
    found = lines.str.extract_groups(FORM).struct.unnest()
    stamp = found.select(
        pl.concat_str(
            pl.col("month").replace_strict(NAMES, default=None),
            pl.lit(" "),
            "day",
            pl.lit(" "),
            "minute",
            pl.lit(":00"),
        )
    ).to_series()
    tag = pl.Series(["su"]).new_from_index(0, len(lines))
    return Header(None, tag, found["text"].fill_null(""), stamp=stamp, ok=all_or_mask(stamp.is_not_null()))
