"""Log text made safe to show: on a terminal, in a column, in a message.

In: text that strangers had a hand in (a HELO name, a Subject, a remote server's reply).  Out: text that
cannot move the cursor, change the title, hide or reorder what stands beside it, or begin a line of its own.
Nothing is dropped: what is unsafe is shown as an escape such as ``\\x1b``.

It does not make text safe for HTML (the templates do), for a shell or for SQL.  A backslash that stands
in the log stays as it is, so an escape shown here may also have been logged as such; JSON output keeps
the two apart.

Sources: control characters C0, DEL and C1 are ECMA-48; bidirectional controls are Unicode UAX #9 ("Trojan
Source", CVE-2021-42574); the ranges are general categories Cc, Cf, Zl, Zp and Cs of Unicode 16, which the
tests hold against Python's own tables; widths are Unicode UAX #11.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

# Written out, because asking unicodedata for every code point takes a tenth of a second at start-up.
_UNSAFE: Final = re.compile(
    "["
    "\x00-\x08\x0a-\x1f\x7f-\x9f"  # Cc but the tab: C0, DEL, C1
    "\u00ad\u0600-\u0605\u061c\u06dd\u070f\u0890-\u0891\u08e2\u180e"  # Cf: soft hyphen, number signs ...
    "\u200b-\u200f\u2028-\u202e\u2060-\u206f"  # zero width, line separators, bidirectional overrides
    "\ufeff\ufff9-\ufffb"  # byte order mark, interlinear annotation
    "\ud800-\udfff"  # lone surrogates: bytes that were not UTF-8; printing them would raise an error
    "\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0001-\U000e007f"  # tags: invisible text
    "]"
)
_ELLIPSIS: Final = "\u2026"


def safe(text: str) -> str:
    """Give the text with every control and invisible character shown as an escape.

    Tabs stay.  A line break is shown too (``\\x0a``): one log line is one line.  Doing it twice changes
    nothing.
    """
    if text.isascii() and text.isprintable():  # nearly every line: no search at all
        return text
    return _UNSAFE.sub(_escape, text)


def fit(text: str, width: int) -> str:
    """Give the text, made safe, in at most ``width`` columns; an ellipsis says that some is missing.

    Wide characters take two columns and combining marks none.  A tab becomes one space, as its width
    would depend on where it stands.  Nothing is padded.  A width of 0 or less gives the empty string.
    """
    text = safe(text).replace("\t", " ")
    if width <= 0:
        return ""
    if len(text) <= width if text.isascii() else columns(text) <= width:
        return text
    if text.isascii():
        return text[: width - 1] + _ELLIPSIS
    left = width - 1  # one for the ellipsis
    for end, char in enumerate(text):
        left -= _char_columns(char)
        if left < 0:
            return text[:end] + _ELLIPSIS
    raise AssertionError("a text wider than its columns must have been cut")  # pragma: no cover


def columns(text: str) -> int:
    """Count the terminal columns that safe text takes (a tab counts as one)."""
    return len(text) if text.isascii() else sum(map(_char_columns, text))


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _char_columns(char: str) -> int:
    if unicodedata.category(char) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in ("W", "F") else 1
