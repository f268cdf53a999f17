"""The texts that a regex's matches can begin with, a few characters deep.

Dispatch needs to know which patterns a text that begins with, say, ``warn`` may match.  A pattern that
begins with a choice (``(?:reject|hold): ``) has several beginnings; all of them are listed, as long as
they are not too many.
"""

from __future__ import annotations

import re._constants as sre  # type: ignore[import-not-found]
import re._parser as parser  # type: ignore[import-not-found]
from functools import cache
from typing import Any, Final

MOST: Final = 400
META: Final = frozenset("\\.^$*+?{}[]|()")


@cache
def literal(regex: str) -> str:
    """The plain characters that every match begins with; empty where the regex offers a choice there."""
    out: list[str] = []
    at = 0
    while at < len(regex):
        char, width = regex[at], 1
        if char == "\\" and not regex[at + 1 : at + 2].isalnum():
            char, width = regex[at + 1 : at + 2], 2
        elif char in META:
            break
        if regex[at + width : at + width + 1] in ("*", "?", "+", "{"):
            break
        out.append(char)
        at += width
    # Any choice may be one of the whole regex; only a closer look would tell.
    return "" if "|" in regex and _chooses(regex) else "".join(out)


def _chooses(regex: str) -> bool:
    """Whether the regex is a choice as a whole: a bar outside all groups and classes."""
    depth, at, in_class = 0, 0, False
    while at < len(regex):
        char = regex[at]
        if char == "\\":
            at += 1
        elif in_class:
            in_class = char != "]"
        elif char == "[":
            in_class = True
            at += regex[at + 1 : at + 2] == "^"
            at += regex[at + 1 : at + 2] == "]"
        elif char in "()":
            depth += 1 if char == "(" else -1
        elif char == "|" and depth == 0:
            return True
        at += 1
    return False


@cache
def beginnings(regex: str, depth: int) -> frozenset[str]:
    """Beginnings of all matches; one shorter than ``depth`` may be followed by anything."""
    plain = literal(regex)
    if len(plain) >= depth:
        return frozenset((plain[:depth],))
    done, open_ = _walk(list(_parsed(regex)), {""}, depth)
    found = done | open_
    if len(found) > MOST:
        found = {text[:1] for text in found}
    # A beginning that another one begins with says nothing more.
    return frozenset(
        text for text in found if not any(text != other and text.startswith(other) for other in found)
    )


@cache
def _parsed(regex: str) -> Any:
    # Slow (half a millisecond), and only wanted where the beginning is not plain.
    return parser.parse(regex)


def _walk(items: list[Any], prefixes: set[str], depth: int) -> tuple[set[str], set[str]]:
    """Extend prefixes by a sequence of regex parts: (finished ones, ones that may go on)."""
    done: set[str] = set()
    current = prefixes
    for operation, value in items:
        full = {text for text in current if len(text) >= depth}
        done |= full
        current -= full
        if not current or len(current) > MOST:
            break
        closed, current = _step(operation, value, current, depth)
        done |= closed
    return done, current


def _step(operation: Any, value: Any, current: set[str], depth: int) -> tuple[set[str], set[str]]:
    if operation is sre.LITERAL:
        return set(), {text + chr(value) for text in current}
    if operation is sre.IN:
        members = _members(value)
        if members is None:
            return current, set()
        return set(), {text + char for text in current for char in members}
    if operation is sre.SUBPATTERN:
        return _walk(list(value[-1]), set(current), depth)
    if operation is sre.BRANCH:
        done: set[str] = set()
        going: set[str] = set()
        for branch in value[1]:
            closed, still = _walk(list(branch), set(current), depth)
            done |= closed
            going |= still
        return done, going
    if operation is sre.AT:
        return set(), current
    if operation in (sre.MAX_REPEAT, sre.MIN_REPEAT):
        low, high, inner = value
        if (low, high) == (0, 1):
            closed, still = _walk(list(inner), set(current), depth)
            return closed, still | current
        if low >= 1:
            closed, still = _walk(list(inner), set(current), depth)
            # It may be repeated or not: what follows is open.
            return closed | still, set()
        return current, set()
    return current, set()


def _members(value: Any) -> list[str] | None:
    """Characters of a small class; None for a large or negated one."""
    out: list[str] = []
    for operation, item in value:
        if operation is sre.LITERAL:
            out.append(chr(item))
        elif operation is sre.RANGE and item[1] - item[0] < 12:
            out.extend(chr(code) for code in range(item[0], item[1] + 1))
        else:
            return None
    return out if len(out) <= 12 else None
