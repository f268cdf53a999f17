"""What a terminal and a spreadsheet are shown: text made safe (``vocabulary/shown.py``), and CSV cells.

Source: formula injection is OWASP's page "CSV Injection".
"""

from __future__ import annotations

import re
from typing import Final

from mailscope.vocabulary.shown import columns, fit, safe

__all__ = ["columns", "csv_safe", "fit", "safe"]

_NUMBER: Final = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
# What a spreadsheet takes for the beginning of a formula; the full-width forms count in East Asia.
_FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def csv_safe(text: str) -> str:
    """Give a CSV cell that a spreadsheet shows instead of running it.

    A value that begins like a formula gets an apostrophe in front.  A plain number (``-5``, ``+1.5e3``)
    stays a number.  Quoting commas and quotes is the CSV writer's work.
    """
    if text.startswith(_FORMULA_STARTS) and not _NUMBER.fullmatch(text):
        return "'" + text
    return text
