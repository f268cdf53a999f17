"""A pattern's regex, changed so that it takes a text apart without a rest.

    from=<(?P<sender>X)>, size=(?P<size_bytes>[0-9]+)[^ ]*     the pattern
    (from=<)(X)(>, size=[0-9]+)([^ ]*)                         what is made of it here

Every character of a text that matches is in exactly one group, in order, so that the text can be put together
again with other values in the places of some fields.  A group is a *field* that was asked for; *free*: not
captured, or captured by a field that may hold anything; or *fixed*: words of the pattern, and numbers.

What a regex matches does not change: groups are put around parts that are there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

Kind = Literal["field", "free", "fixed"]

_NAMED: Final = re.compile(r"\(\?P<([A-Za-z_]+?)(?:_[0-9]+)?>")
_UNNAMED: Final = re.compile(r"\(\?([a-zA-Z-]*):")
_QUANTIFIER: Final = re.compile(r"(?:[*+?]|\{[0-9,]+\})\??")
_CLASS: Final = re.compile(r"\[\^?\]?(?:\\.|[^\]\\])*\]", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Group:
    """One capture of a cover: what it is, and of which field."""

    kind: Kind
    field: str = ""


@dataclass(frozen=True, slots=True)
class Cover:
    """An anchored regex, and what each of its captures is, in order."""

    regex: str
    groups: tuple[Group, ...]


@dataclass(frozen=True, slots=True)
class _Part:
    """A piece of a regex with its quantifier.

    ``choices``: the alternatives of a group; none for a character or class.  ``name``: of the field, if the
    group captures one; ``flags``: that hold within a group.
    """

    text: str
    quantifier: str = ""
    choices: tuple[tuple[_Part, ...], ...] = ()
    name: str = ""
    flags: str = ""


@lru_cache(maxsize=4096)
def cover(regex: str, fields: frozenset[str], loose: frozenset[str]) -> Cover:
    """The cover of a regex without anchors.

    ``fields`` are captured one by one; ``loose`` are captured as free text.
    """
    groups: list[Group] = []
    body = _choices(_parsed(regex), fields, loose, groups)
    return Cover(f"^(?:{body})$", tuple(groups))


def _choices(
    choices: Sequence[Sequence[_Part]], fields: frozenset[str], loose: frozenset[str], groups: list[Group]
) -> str:
    return "|".join(_sequence(parts, fields, loose, groups) for parts in choices)


def _sequence(
    parts: Sequence[_Part], fields: frozenset[str], loose: frozenset[str], groups: list[Group]
) -> str:
    """A sequence with its captures: neighbours of one kind share a group."""
    out = ""
    run, kind = "", "fixed"

    def flush() -> None:
        nonlocal out, run
        if run:
            groups.append(Group("free" if kind == "free" else "fixed"))
            out += f"({run})"
            run = ""

    for part in parts:
        if part.name in fields and part.quantifier in ("", "?", "??"):
            flush()
            groups.append(Group("field", part.name))
            out += f"({_plain_choices(part.choices)}){part.quantifier}"
            continue
        if _any(part, lambda inner: inner.name in fields) and part.quantifier in ("", "?", "??"):
            flush()
            out += f"(?{part.flags}:{_choices(part.choices, fields, loose, groups)}){part.quantifier}"
            continue
        if part.choices and not part.quantifier + part.name + part.flags and len(part.choices) == 1:
            # A group that groups nothing is its content.
            inner: Sequence[_Part] = part.choices[0]
        else:
            inner = (part,)
        for each in inner:
            mine = "free" if _free(each, loose) else "fixed"
            if mine != kind:
                flush()
                kind = mine
            run += _plain(each)
    flush()
    return out


def _any(part: _Part, wanted: Callable[[_Part], bool]) -> bool:
    return wanted(part) or any(_any(inner, wanted) for parts in part.choices for inner in parts)


def _free(part: _Part, loose: frozenset[str]) -> bool:
    """Whether a part can match a name or an address; fields that are not loose hold none."""
    if part.name:
        return part.name in loose
    return _wild(part) or any(_free(inner, loose) for parts in part.choices for inner in parts)


def _wild(part: _Part) -> bool:
    """Whether a character or class can be a part of a name or an address."""
    if part.choices or part.text == "":
        return False
    if part.text == ".":
        return True
    if not part.text.startswith("["):
        return False
    return part.text.startswith("[^") or "a-z" in part.text or bool(set(part.text) & {".", ":", "@"})


def _plain(part: _Part) -> str:
    """A part as it was, without captures."""
    text = f"(?{part.flags}:{_plain_choices(part.choices)})" if part.choices else part.text
    return text + part.quantifier


def _plain_choices(choices: Sequence[Sequence[_Part]]) -> str:
    return "|".join("".join(map(_plain, parts)) for parts in choices)


def _parsed(regex: str) -> tuple[tuple[_Part, ...], ...]:
    choices, at = _read(regex, 0)
    if at != len(regex):
        raise ValueError(f"unbalanced parenthesis in {regex}")
    return choices


def _read(regex: str, at: int) -> tuple[tuple[tuple[_Part, ...], ...], int]:
    """The alternatives from a place on, up to the closing parenthesis or the end."""
    choices: list[list[_Part]] = [[]]
    while at < len(regex) and regex[at] != ")":
        char = regex[at]
        name = flags = ""
        inner: tuple[tuple[_Part, ...], ...] = ()
        if char == "|":
            choices.append([])
            at += 1
            continue
        if char == "(":
            if found := _NAMED.match(regex, at):
                name, begin = found[1], found.end()
            elif found := _UNNAMED.match(regex, at):
                flags, begin = found[1], found.end()
            else:
                begin = at + 1
            inner, end = _read(regex, begin)
            text, at = "", end + 1
        elif found := _CLASS.match(regex, at):
            text, at = found[0], found.end()
        else:
            length = 2 if char == "\\" else 1
            text, at = regex[at : at + length], at + length
        quantifier = ""
        if found := _QUANTIFIER.match(regex, at):
            quantifier, at = found[0], found.end()
        choices[-1].append(_Part(text, quantifier, inner, name, flags))
    return tuple(tuple(parts) for parts in choices), at
