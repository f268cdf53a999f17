"""What verification found, in words."""

from __future__ import annotations

from typing import Final

from mailscope.language.phrase import Phrase
from mailscope.language.translator import Translator
from mailscope.syslog.archive.verify import Place

_ONE: Final = {
    "changed": Phrase("line {number} was changed"),
    "removed": Phrase("line {number} was removed"),
    "inserted": Phrase("a line was inserted before line {number}"),
    "moved": Phrase("a line was moved; the first that is not in its place is line {number}"),
    "unsealed": Phrase("line {number} has no seal: it may be anything"),
    "seal": Phrase("the seal of line {number} was changed"),
}
_MANY: Final = {
    "changed": Phrase("lines {number} to {last} were changed"),
    "removed": Phrase("lines {number} to {last} were removed"),
    "inserted": Phrase("{n} lines were inserted before line {number}"),
    "moved": Phrase("{n} lines were moved; the first that is not in its place is line {number}"),
    "unsealed": Phrase("lines {number} to {last} have no seal: they may be anything"),
    "seal": Phrase("the seal of lines {number} to {last} was changed"),
}
_SHOWN: Final = 120  # characters of a line


def told(place: Place, tell: Translator) -> str:
    """One fault as a line: where, what, and the line as it is now.  Words of the log are escaped."""
    fault = place.fault
    words = _ONE if fault.lines <= 1 else _MANY
    values = {"number": fault.number, "last": fault.number + fault.lines - 1, "n": fault.lines}
    where = " ".join(part for part in (place.day, place.time[11:19]) if part)
    text = f"{where}: " if where else ""
    text += tell(words[fault.kind].template, **values)
    if fault.text:
        text += f": {shown(fault.text)}"
    return text


def shown(line: bytes) -> str:
    """A line for a terminal, not endless."""
    text = line.rstrip(b"\n").decode("utf-8", "backslashreplace")
    cut = text if len(text) <= _SHOWN else text[:_SHOWN] + "..."
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in cut)
