"""One pattern: from a ``match`` text with tokens to an anchored regex and typed fields."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from mailscope.recognise.durations import seconds_of
from mailscope.recognise.prefix import beginnings, literal
from mailscope.recognise.tokens import TOKENS, token_of
from mailscope.vocabulary.errors import PatternError
from mailscope.vocabulary.events import EVENTS
from mailscope.vocabulary.fields import BY_NAME

Value = str | int | float

TOKEN: Final = re.compile(r"\{([a-z][a-z_0-9]*)?(?::([a-z_0-9]+))?\}")
GROUP: Final = re.compile(r"\(\?P<([A-Za-z_0-9]+)>")
NUMBER: Final = re.compile(r"[-+]?[0-9]*\.?[0-9]+")
# A group that is there whenever the whole pattern matched, even if every other group is absent.
MATCHED: Final = "matched"


@dataclass(frozen=True, slots=True)
class Example:
    """A text (queue id included) and the whole record that its pattern must make of it."""

    text: str
    fields: Mapping[str, Value]


@dataclass(frozen=True)
class Pattern:
    """One line format of one program."""

    file: str
    index: int
    event: str
    match: str
    meaning: str
    constants: Mapping[str, Value] = field(default_factory=dict)
    fallback: bool = False
    examples: tuple[Example, ...] = ()
    not_examples: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """Where an admin finds this pattern: file, position, event."""
        return f"{self.file} event {self.index} ({self.event})"

    @cached_property
    def expanded(self) -> str:
        """The match text with every token replaced by its regex."""
        return expand(self.match, self.label)

    @cached_property
    def captures(self) -> tuple[str, ...]:
        """Names of the fields that the text itself gives."""
        return tuple(GROUP.findall(self.expanded))

    def agreement(self, start: str, depth: int) -> int | None:
        """How many characters a text's beginning shares with this pattern's; None if it cannot match.

        ``start`` is the text's first ``depth`` characters, or the whole text if it is shorter.
        """
        fits = [
            text
            for text in beginnings(self.expanded, depth)
            if start.startswith(text) or (len(start) < depth and text.startswith(start))
        ]
        return max(map(len, fits)) if fits else None

    def regex(self, needed: frozenset[str] | None = None) -> str:
        """Anchored regex; groups of fields that nobody needs are matched but not captured."""
        body = self.expanded
        if needed is not None:
            body = GROUP.sub(lambda found: found[0] if found[1] in needed else "(?:", body)
        return f"^(?:{body})(?P<{MATCHED}>)$"

    def validate(self) -> None:
        """Raise PatternError where the regex is wrong or a field has two sources.

        Not done for our own files when a log is read: it would take longer than many a log.
        """
        _ = self.compiled
        twice = set(self.constants) & set(self.captures)
        if twice:
            raise PatternError(self.label, None, f"'{twice.pop()}' is both captured and set", "keep one")

    @cached_property
    def literal(self) -> str:
        """The plain characters that every text of this pattern begins with."""
        return literal(self.expanded)

    @cached_property
    def compiled(self) -> re.Pattern[str]:
        """For single texts (checks and ``patterns try``); frames use Polars' engine.

        Raises PatternError where the regex is wrong.
        """
        try:
            # Alone first: a position that is told is then one in the pattern as it is written.
            re.compile(self.expanded, re.ASCII)
            return re.compile(self.regex(), re.DOTALL | re.ASCII)
        except re.error as error:
            raise PatternError(self.label, None, f"not a regex: {error}", "correct 'match'") from error

    def read(self, text: str) -> dict[str, Value] | None:
        """The fields of one text, typed, or None where the pattern does not know it."""
        found = self.compiled.match(text)
        if found is None:
            return None
        record: dict[str, Value] = dict(self.constants)
        for name, value in found.groupdict().items():
            if name != MATCHED and value is not None:
                # A span of time that is none stays out, as it does in frames.
                with suppress(ValueError):
                    record[name] = typed(name, value)
        return record


def typed(name: str, value: str) -> Value:
    """A captured text in the type that the vocabulary declares for the field."""
    kind = BY_NAME[name].kind
    if kind == "float":
        return float(value) if NUMBER.fullmatch(value) else seconds_of(value)
    return int(value) if kind == "int" else value


def expand(match: str, where: str, *, groups: bool = True) -> str:
    """Replace ``{field}``, ``{field:token}`` and ``{:token}``; unknown names are an error.

    With ``groups``, so are groups that are no fields.
    """

    def replace(found: re.Match[str]) -> str:
        name, token = found[1], found[2]
        if name is None and token is None:
            raise PatternError(where, None, "empty token {}", "write {field}, {field:token} or {:token}")
        if name is None:
            return f"(?:{_token(token, where)})"
        if name in TOKENS and name not in BY_NAME and token is None:
            return _token(name, where)
        if name not in BY_NAME:
            raise PatternError(
                where, None, f"unknown field {{{name}}}", "fields are listed by 'mailscope patterns fields'"
            )
        return f"(?P<{name}>{_token(token or token_of(name, BY_NAME[name].kind), where)})"

    expanded = TOKEN.sub(replace, match)
    for name in GROUP.findall(expanded) if groups else ():
        if name not in BY_NAME:
            raise PatternError(where, None, f"unknown field in (?P<{name}>", "use a field of the vocabulary")
    return expanded


def _token(name: str, where: str) -> str:
    if name not in TOKENS:
        known = ", ".join(sorted(TOKENS))
        raise PatternError(where, None, f"unknown token '{name}'", f"known tokens: {known}")
    return TOKENS[name]


def check_event_name(event: str, where: str) -> None:
    """Refuse an event word that the vocabulary does not have."""
    if event not in EVENTS:
        raise PatternError(
            where, None, f"unknown event '{event}'", f"known events: {', '.join(sorted(EVENTS))}"
        )
