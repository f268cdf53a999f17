"""Postfix's main.cf: parameters as written, and their values expanded.

In: the file's text.  Out: a value, or None where it depends on a parameter whose built-in default is not
known here (``$myhostname``): nothing is guessed.

Source: Postfix 3.7.11, postconf(5); util/readlline.c (a line that begins with white space continues the one
before; empty and comment lines between them do not end it), global/mail_conf.c, util/mac_expand.c.
Relational expressions (``${{a} == {b} ? ...}``) are not evaluated.
"""

from __future__ import annotations

import re
from typing import Final

_DEFAULTS: Final = {
    "mail_name": "Postfix",
    "maillog_file": "",
    "multi_instance_directories": "",
    "multi_instance_group": "",
    "multi_instance_name": "",
    "syslog_name": "${multi_instance_name?{$multi_instance_name}:{postfix}}",
    "queue_directory": "/var/spool/postfix",
    "data_directory": "/var/lib/postfix",
}
_NAME_RE: Final = re.compile(r"[A-Za-z0-9_]+")
_ASSIGNMENT_RE: Final = re.compile(r"([^\s=]+)\s*=\s*(.*)", re.DOTALL)
_DEEPEST: Final = 20  # parameters that name parameters; Postfix itself stops at 100


class _UnknownError(ValueError):
    """A value that cannot be known from main.cf alone."""


class MainCf:
    """One instance's parameters; ``lines`` says where each is set (from 1)."""

    def __init__(self, text: str) -> None:
        self.raw: dict[str, str] = {}
        self.lines: dict[str, int] = {}
        for number, line in _logical_lines(text):
            if match := _ASSIGNMENT_RE.fullmatch(line):
                self.raw[match[1]] = match[2].strip()  # the last one counts
                self.lines[match[1]] = number

    def value(self, name: str) -> str | None:
        """Give a parameter's value with all ``$names`` in it expanded."""
        try:
            return self._parameter(name, 0)
        except _UnknownError:
            return None

    def _parameter(self, name: str, depth: int) -> str:
        text = self.raw.get(name, _DEFAULTS.get(name))
        if text is None or depth > _DEEPEST:
            raise _UnknownError(name)
        return self._expanded(text, depth + 1)

    def _expanded(self, text: str, depth: int) -> str:
        if depth > _DEEPEST:
            raise _UnknownError(text)
        done, rest = "", text
        while "$" in rest:
            before, _, rest = rest.partition("$")
            done += before
            if rest.startswith("$"):
                done, rest = done + "$", rest[1:]
            elif rest.startswith(("{", "(")):
                inner, rest = _bracketed(rest)
                done += self._braced(inner, depth)
            elif match := _NAME_RE.match(rest):
                done += self._parameter(match[0], depth)
                rest = rest[match.end() :]
            else:
                raise _UnknownError(text)
        return done + rest

    def _braced(self, inner: str, depth: int) -> str:
        """``name``, ``name?text``, ``name:text``, ``name?{text}:{text}``."""
        match = _NAME_RE.match(inner)
        if match is None:
            raise _UnknownError(inner)
        name, rest = match[0], inner[match.end() :]
        if not rest:
            return self._parameter(name, depth)
        # An undefined parameter counts as empty here, but only main.cf and the defaults above are known.
        is_set = bool(self._parameter(name, depth))
        first, second = _alternatives(rest[1:])
        match rest[0]:
            case "?":
                chosen = first if is_set else second
            case ":":
                chosen = "" if is_set else first
            case _:
                raise _UnknownError(inner)
        return self._expanded(chosen, depth + 1)


def _alternatives(text: str) -> tuple[str, str]:
    """Split ``{one}:{two}``, ``{one}:two`` or ``one``."""
    text = text.strip()
    if not text.startswith("{"):
        return text, ""
    first, rest = _bracketed(text)
    rest = rest.strip().removeprefix(":").strip()
    second = _bracketed(rest)[0] if rest.startswith("{") else rest
    return first.strip(), second.strip()


def _bracketed(text: str) -> tuple[str, str]:
    """Take ``{...}`` or ``(...)`` off the beginning; give what is inside and what follows."""
    opening = text[0]
    closing = {"{": "}", "(": ")"}[opening]
    depth = 0
    for end, char in enumerate(text):
        depth += (char == opening) - (char == closing)
        if depth == 0:
            return text[1:end], text[end + 1 :]
    raise _UnknownError(text)


def _logical_lines(text: str) -> list[tuple[int, str]]:
    found: list[tuple[int, str]] = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if line[0].isspace():
            if found:  # else: a continuation of nothing, which Postfix warns of and drops
                found[-1] = (found[-1][0], found[-1][1] + line)
        else:
            found.append((number, line))
    return found
