"""On which line of a TOML file a key stands.

The standard parser does not tell.  The text is walked once, over strings, comments and brackets; it must be
one that the parser has taken, so that nothing is checked here.  Source: TOML 1.0.0.
"""

from __future__ import annotations

import re
import tomllib
from typing import Final

Place = tuple[str | int, ...]

_STRING: Final = (
    r'"""(?:[^\\]|\\.)*?"{3,5}|\'\'\'.*?\'{3,5}|"(?:[^"\\\n]|\\.)*"|\'[^\'\n]*\''  # longest form first
)
_TOKEN: Final = re.compile(rf"(?P<string>{_STRING})|(?P<comment>#[^\n]*)|(?P<mark>[\[\]{{}},=\n])", re.DOTALL)


def key_lines(text: str) -> dict[Place, int]:
    """Line (from 1) of every key and table, such as ``("receiver", "listen", 0, "port")``.

    Of inline tables and arrays, only the key that holds them is told.
    """
    found: dict[Place, int] = {}
    counts: dict[Place, int] = {}
    table: Place = ()
    for number, statement in _statements(text):
        if statement.startswith("["):
            double = statement.startswith("[[")
            names = _names(
                statement[2 : statement.rindex("]]")] if double else statement[1 : statement.rindex("]")]
            )
            table = _within(names if not double else names[:-1], counts)
            if double:
                table = (*table, names[-1])
                found.setdefault(table, number)
                counts[table] = counts.get(table, 0) + 1
                table = (*table, counts[table] - 1)
            elif table and table[-1] != names[-1]:
                # The last element of an array of tables is not named again.
                table = table[:-1]
            found.setdefault(table, number)
            continue
        place = table
        for name in _names(statement):
            place = (*place, name)
            found.setdefault(place, number)
    return found


def _within(names: Place, counts: dict[Place, int]) -> Place:
    """The table of that name: in an array of tables, the last one."""
    table: Place = ()
    for name in names:
        table = (*table, name)
        if table in counts:
            table = (*table, counts[table] - 1)
    return table


def _names(dotted: str) -> Place:
    """The parts of a key, quoted or not."""
    nested = tomllib.loads(f"{dotted} = 0")
    names: list[str | int] = []
    inner: object = nested
    while isinstance(inner, dict):
        name, inner = next(iter(inner.items()))
        names.append(name)
    return tuple(names)


def _statements(text: str) -> list[tuple[int, str]]:
    """Line, and what stands before the ``=`` of a key, or a whole table header."""
    out: list[tuple[int, str]] = []
    depth, begin, valued, header = 0, 0, False, False
    # TOML's line ends are LF or CRLF; a lone CR cannot occur.
    for found in _TOKEN.finditer(text + "\n"):
        mark = found["mark"]
        if found["comment"] is not None and depth == 0 and not text[begin : found.start()].strip():
            begin = found.end()
        elif mark == "=" and depth == 0 and not valued:
            out.append((_line(text, begin), text[begin : found.start()].strip()))
            valued = True
        elif mark in ("[", "{"):
            header = header or (depth == 0 and not valued)
            depth += 1
        elif mark in ("]", "}"):
            depth -= 1
            if depth == 0 and header:
                out.append((_line(text, begin), text[begin : found.end()].strip()))
                header, valued = False, True
        elif mark == "\n" and depth == 0:
            begin, valued = found.end(), False
    return out


def _line(text: str, begin: int) -> int:
    """Line of the first character from a place on that is no white space."""
    while begin < len(text) and text[begin].isspace():
        begin += 1
    return text.count("\n", 0, begin) + 1
