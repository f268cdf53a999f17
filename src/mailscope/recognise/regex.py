"""Rewriting a pattern's regex so that every byte decides the next step.

The regex engine behind Polars has a one-pass matcher that is three to ten times as fast as its
general one, but only for patterns in which no byte leaves two ways open.  Two habits of pattern
authors leave two ways open, and each has a mechanical cure that keeps the meaning:

- ``(?:, a=X)?, b=`` : the common beginning is moved in front, ``, (?:a=X, )?b=``;
- ``\\((?P<reason>.*)\\)$`` : a closing literal after free text is cut off and compared separately.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from mailscope.recognise.pattern import GROUP, MATCHED, Pattern
from mailscope.recognise.tokens import TOKENS

TAIL: Final = re.compile(r"\(\?P<([a-z_0-9]+)>\.\*\)((?:\\[^a-zA-Z0-9]|[^\\.^$*+?{}\[\]|()])*)$")
DURATION: Final = TOKENS["duration"]
OPEN_TAIL: Final = re.compile(r"\(\?:\.\*\)$")


@dataclass(frozen=True, slots=True)
class Form:
    """A regex ready for Polars.

    ``suffix`` is a literal that the text must end with and that is cut off before ``tail`` (the field
    that takes the rest) is stored; ``always`` is a group that takes part in every match, None where
    no field is captured at all and a plain test is enough.  ``durations``: the fields that are spans of time
    in a form of their own (``durations.py``).
    """

    regex: str
    captures: tuple[str, ...]
    always: str | None
    suffix: str
    tail: str | None
    durations: frozenset[str] = frozenset()


def form(pattern: Pattern, needed: frozenset[str] | None) -> Form:
    """The regex of a pattern; fields that nobody needs (``needed`` None: all) are not captured."""
    body = _hoist(pattern.expanded)
    suffix, tail, end = "", None, "$"
    found = TAIL.search(body)
    if found and not _nested(body, found.start()):
        suffix = re.sub(r"\\(.)", r"\1", found[2])
        tail = found[1]
        body = body[: found.start()]
        if needed is None or tail in needed:
            end = f"(?P<{tail}>.*)$"
        elif suffix and _may_overlap(body, suffix):
            end, suffix, tail = f".*{found[2]}$", "", None
        else:
            # Free text that nobody needs is not even walked over.
            end, tail = "", None
    elif OPEN_TAIL.search(body) and not _nested(body, len(body) - len("(?:.*)")):
        body, end = body[: -len("(?:.*)")], ""
    if needed is not None:
        body = GROUP.sub(lambda group: group[0] if group[1] in needed else "(?:", body)
    captures = tuple(GROUP.findall(body)) + ((tail,) if tail else ())
    always = tail or _always(body)
    if captures and always is None:
        always = MATCHED
        end = f"(?P<{MATCHED}>){end}"
    regex = f"^(?:{body}){end}" if "|" in body else f"^{body}{end}"
    durations = frozenset(name for name in captures if f"(?P<{name}>{DURATION})" in body)
    return Form(regex, captures, always, suffix, tail, durations)


def _may_overlap(body: str, suffix: str) -> bool:
    """Whether what a body matches may end within the literal that the text must end with."""
    escaped = body[-2:-1] == "\\" and body[-3:-2] != "\\"
    return body[-1:] in suffix or (not escaped and body[-1:] in ".)]}*+?|")


def _nested(regex: str, at: int) -> bool:
    """Whether position ``at`` lies inside a group or beside a top-level choice."""
    depth, here = 0, 0
    in_class = False
    while here < len(regex):
        char = regex[here]
        if char == "\\":
            here += 2
            continue
        if in_class:
            in_class = char != "]"
        elif char == "[":
            in_class = True
            here += 1 if regex[here + 1 : here + 2] == "^" else 0
            here += 1 if regex[here + 1 : here + 2] == "]" else 0
        elif char == "(":
            if here == at:
                return depth > 0 or _choice_at_top(regex)
            depth += 1
        elif char == ")":
            depth -= 1
        here += 1
    return True


def _choice_at_top(regex: str) -> bool:
    return any(depth == 0 and char == "|" for _, depth, char in walk(regex))


def walk(regex: str) -> list[tuple[int, int, str]]:
    """Position, group depth and character of everything outside escapes and classes."""
    out: list[tuple[int, int, str]] = []
    depth, at, in_class = 0, 0, False
    while at < len(regex):
        char = regex[at]
        if char == "\\":
            at += 2
            continue
        if in_class:
            in_class = char != "]"
        elif char == "[":
            in_class = True
            at += 1 if regex[at + 1 : at + 2] == "^" else 0
            at += 1 if regex[at + 1 : at + 2] == "]" else 0
        else:
            if char == ")":
                depth -= 1
            out.append((at, depth, char))
            if char == "(":
                depth += 1
        at += 1
    return out


def _always(regex: str) -> str | None:
    """A named group that every match fills: not inside an optional group or a choice."""
    if _choice_at_top(regex):
        return None
    marks = walk(regex)
    for index, (at, depth, char) in enumerate(marks):
        if char != "(" or depth != 0:
            continue
        end = next(place for place, level, mark in marks[index + 1 :] if mark == ")" and level == 0)
        found = GROUP.match(regex, at)
        if found and regex[end + 1 : end + 2] not in ("?", "*", "{"):
            return found[1]
    return None


def _hoist(regex: str) -> str:
    """Move the literal that an optional group shares with what follows in front of the group."""
    marks = walk(regex)
    for index, (at, depth, char) in enumerate(marks):
        if char != "(" or not regex.startswith("(?:", at):
            continue
        end = next(place for place, level, mark in marks[index + 1 :] if mark == ")" and level == depth)
        if regex[end + 1 : end + 2] != "?" or regex[end + 2 : end + 3] in ("?", "+"):
            continue
        inner, after = regex[at + 3 : end], regex[end + 2 :]
        if _choice_at_top(inner):
            continue
        shared = _common_literal(inner, after)
        if shared:
            moved = f"{regex[:at]}{shared}(?:{inner[len(shared) :]}{shared})?{after[len(shared) :]}"
            return _hoist(moved)
    return regex


def _common_literal(one: str, two: str) -> str:
    """The longest plain literal that both regexes begin with (whole characters only)."""
    at = 0
    while at < min(len(one), len(two)) and one[at] == two[at] and one[at] not in "\\.^$*+?{}[]|()":
        at += 1
    for regex in (one, two):
        if regex[at : at + 1] in ("*", "?", "+", "{"):
            at -= 1
            break
    return one[: max(at, 0)]
