"""What became of each recipient of each message."""

from __future__ import annotations

from typing import Final

from mailscope.reports.balance import FATES
from mailscope.reports.section import Label, Number, Section

WORDS: Final = tuple(dict.fromkeys(fate for fates in FATES.values() for fate in fates))

SECTION: Final = Section(
    "fates",
    "Fate of recipients",
    "The final fate of every recipient; deferred: put off, to be tried again; queued: not tried yet.",
    (Label("fate", "Fate", unit="word", words=WORDS),),
    (Number("recipients", "Recipients", "fates", "recipients"),),
    limited=False,
)
