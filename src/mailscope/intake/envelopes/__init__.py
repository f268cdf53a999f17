"""What stands before the text of a line: stamp, host, program tag, priority.

One module per family of envelopes; ``ENVELOPES`` is the registry, in the order in which they are
tried on a line (Exim's form is a narrower one than that of ISO stamps).  Each offers ``SNIFF``, a regex that
the beginning of such a line matches, and
``parse``, which takes the lines apart.
"""

from __future__ import annotations

from typing import Final, Protocol

import polars as pl

from mailscope.intake.envelopes import (
    epoch,
    exim,
    iso,
    journal_json,
    localised,
    own_files,
    own_stamps,
    rfc3164,
    rfc5424,
    sulog,
    tai64n,
)
from mailscope.intake.envelopes.header import Header


class Envelope(Protocol):
    """A module of this folder, or a form of ``own_stamps``."""

    @property
    def SNIFF(self) -> str:  # noqa: N802 - a constant of the module
        """What such a line begins with, as a regex."""
        ...

    def parse(self, lines: pl.Series) -> Header:
        """Take lines apart; ``Header.ok`` is false for those that are not of this form."""
        ...


# Two of the forms in own_files begin like those of rfc3164 and iso; behind fail2ban's stamp, which is one of
# iso's, a host would be looked for.
ENVELOPES: Final[tuple[Envelope, ...]] = (
    own_files,
    rfc3164,
    own_stamps.FAIL2BAN,
    exim,
    iso,
    rfc5424,
    tai64n,
    epoch,
    journal_json,
    localised,
    own_stamps.ACCESS,
    own_stamps.HTTPD_ERROR,
    own_stamps.NGINX_ERROR,
    own_stamps.NAMED,
    own_stamps.UNBOUND,
    sulog,
)
