"""Log text made safe for JSON and CSV, a whole column at a time.

In: columns of text that strangers had a hand in.  Out: text that cannot drive a terminal it is shown
on, nor be run by a spreadsheet.  In JSON nothing is lost: ``\\u009b`` there *is* the character.  In CSV
such a character is shown as on a terminal, ``\\x9b``.

The unsafe characters are the general categories Cc (but the tab), Cf, Zl and Zp, and the unassigned ones
between invisible ones; formulas are those
of OWASP's page "CSV Injection".  ``cli/terminal.py`` says the same for single texts; a test holds the two
against each other.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import polars as pl

INVISIBLE: Final = r"\p{Cf}\p{Zl}\p{Zp}\x{2060}-\x{206F}\x{E0001}-\x{E007F}"
UNSAFE: Final = rf"[\x00-\x08\x0A-\x1F\x7F-\x9F{INVISIBLE}]"
# JSON encoders escape what lies below U+0020 themselves.
UNSAFE_IN_JSON: Final = rf"[\x7F-\x9F{INVISIBLE}]"
FORMULA: Final = "^[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]"
NUMBER: Final = r"^[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$"


def json_safe(lines: pl.Series) -> pl.Series:
    """Lines of JSON in which every character that a terminal might act on is an escape."""
    # Apart from DEL, nothing in ASCII is unsafe here; counting characters is far cheaper than the classes.
    odd = (lines.str.len_bytes() != lines.str.len_chars()) | lines.str.contains("\x7f", literal=True)
    if not odd.any():
        return lines
    rows = odd.arg_true()
    return lines.clone().scatter(rows, _escape(lines.gather(rows), UNSAFE_IN_JSON, _json_escape))


def csv_safe(column: pl.Series) -> pl.Series:
    """Cells with unsafe characters shown as escapes, and an apostrophe before formulas."""
    formula = column.str.contains(FORMULA).fill_null(False)
    if formula.any():
        formula &= ~column.str.contains(NUMBER).fill_null(True)
    shown = _escape(column, UNSAFE, _shown_escape)
    if not formula.any():
        return shown
    return pl.select(
        pl.when(formula).then(pl.concat_str([pl.lit("'"), shown])).otherwise(shown).alias(column.name)
    ).to_series()


def _escape(column: pl.Series, unsafe: str, escape: Callable[[str], str]) -> pl.Series:
    """Replace each unsafe character; columns without any, nearly all, cost one look."""
    rows = column.str.contains(unsafe).fill_null(False).arg_true()
    if not len(rows):
        return column
    texts = column.gather(rows)
    for char in texts.str.extract_all(unsafe).explode().unique():
        texts = texts.str.replace_all(char, escape(char), literal=True)
    return column.clone().scatter(rows, texts)


def _json_escape(char: str) -> str:
    code = ord(char)
    if code < 0x10000:
        return f"\\u{code:04x}"
    code -= 0x10000
    return f"\\u{0xD800 + (code >> 10):04x}\\u{0xDC00 + (code & 0x3FF):04x}"


def _shown_escape(char: str) -> str:
    code = ord(char)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
