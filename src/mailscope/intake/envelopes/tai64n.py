"""TAI64N stamps of multilog and tai64n: ``@`` and 24 hexadecimal digits, then the bare text.

The label counts seconds of atomic time from 2**62; daemontools adds a fixed 10 seconds to Unix time
and knows no leap seconds (libtai without a leap-second table), so 10 is subtracted.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from mailscope.intake.envelopes.header import TIME, Header, all_or_mask, nulls

SNIFF: Final = r"^@[0-9a-f]{24}(?: |$)"
FORM: Final = r"^@(?P<high>[0-9a-f]{8})(?P<low>[0-9a-f]{8})(?P<nano>[0-9a-f]{8})(?: (?P<text>.*))?$"
LABEL_SECONDS: Final = 1 << 62
TAI_OFFSET_S: Final = 10


def parse(lines: pl.Series) -> Header:
    """Take lines apart; there is neither host nor tag."""
    found = lines.str.extract_groups(FORM).struct.unnest()
    number = {
        name: pl.col(name).str.to_integer(base=16, dtype=pl.Int64, strict=False)
        for name in ("high", "low", "nano")
    }
    # 2**62 stands in the high word; taking it off there keeps the sum within 64 bits.
    seconds = (number["high"] - (LABEL_SECONDS >> 32)) * (1 << 32) + number["low"] - TAI_OFFSET_S
    micros = found.select(
        pl.when(number["high"] >= LABEL_SECONDS >> 32, number["high"] < (LABEL_SECONDS >> 32) + 256).then(
            seconds * 1_000_000 + number["nano"] // 1000
        )
    ).to_series()
    return Header(
        host=None,
        tag=nulls(len(lines)),
        text=found["text"].fill_null(""),
        time=micros.cast(TIME),
        ok=all_or_mask(found["high"].is_not_null() & micros.is_not_null()),
    )
