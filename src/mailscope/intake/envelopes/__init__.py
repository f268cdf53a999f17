"""What stands before the text of a line: stamp, host, program tag, priority.

One module per family of envelopes; ``ENVELOPES`` is the registry, in the order in which they are
tried on a line.  Each offers ``SNIFF``, a regex that the beginning of such a line matches, and
``parse``, which takes the lines apart.
"""

from __future__ import annotations

from typing import Final, Protocol

import polars as pl

from mailscope.intake.envelopes import (
    epoch,
    iso,
    journal_json,
    localised,
    own_files,
    rfc3164,
    rfc5424,
    tai64n,
)
from mailscope.intake.envelopes.header import Header


class Envelope(Protocol):
    """A module of this folder."""

    SNIFF: str

    @staticmethod
    def parse(lines: pl.Series) -> Header:
        """Take lines apart; ``Header.ok`` is false for those that are not of this form."""
        ...


# Two of the forms in own_files begin like those of rfc3164 and iso.
ENVELOPES: Final = (own_files, rfc3164, iso, rfc5424, tai64n, epoch, journal_json, localised)
