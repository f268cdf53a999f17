"""Which events and which of their fields a person asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import polars as pl

from mailscope.causes.events import ADDED, DIRECTIONS, TOLD_FROM
from mailscope.recognise.library import Library
from mailscope.recognise.replies import ATTEMPT, REPLY_FIELDS
from mailscope.vocabulary.events import EVENTS
from mailscope.vocabulary.fields import BY_NAME, CORE, FIELDS, TRANSIENT, Field

# The byte offset is not known here: bytes that are not UTF-8 have been replaced by then.  Trails are the
# business of trace.
NOT_EXPORTED: Final = TRANSIENT | {"offset", "trail_id"}
EXPORTED: Final[tuple[Field, ...]] = tuple(field for field in FIELDS if field.name not in NOT_EXPORTED)
CORE_COLUMNS: Final = tuple(field.name for field in CORE if field.name not in NOT_EXPORTED)


@dataclass(frozen=True)
class Choice:
    """Which events and fields a person asked for; an empty set or tuple means all.

    A program is asked for by its tag as logged, by its service, or by the beginning of its tag up to
    a slash (``postfix``).
    """

    events: frozenset[str] = frozenset()
    programs: frozenset[str] = frozenset()
    fields: tuple[str, ...] = ()

    def wants_event(self, event: str) -> bool:
        """Whether events of this kind are asked for."""
        return not self.events or event in self.events

    def wants_program(self) -> pl.Expr:
        """Whether a row's program is asked for."""
        names = list(self.programs)
        tag = pl.col("program")
        asked = tag.is_in(names) | tag.str.extract("^([^/]*)/").is_in(names) | pl.col("service").is_in(names)
        return asked.fill_null(False)

    def needed(self) -> dict[str, frozenset[str]] | None:
        """The fields that the engine must capture, by event; None for all."""
        if not self.events and not self.fields:
            return None
        names = frozenset(self.fields or BY_NAME)
        if names & set(REPLY_FIELDS):
            names |= {"reason"}
        if self.wants_causes:
            names |= TOLD_FROM | set(ADDED)
        return dict.fromkeys(self.events or EVENTS, names)

    @property
    def wants_causes(self) -> bool:
        """Whether a cause, or a blocklist, is asked for."""
        return not self.fields or bool(set(ADDED) & set(self.fields))

    def columns(self, library: Library) -> tuple[str, ...]:
        """The columns of a table: what was asked for, or all that the patterns asked for can give."""
        if self.fields:
            return self.fields
        given: set[str] = set()
        for program in library.programs.values():
            opening = library.opening_of(program)
            for pattern in program.patterns:
                if self.wants_event(pattern.event):
                    given |= {"queue_id", *pattern.captures, *pattern.constants}
                    given |= set(opening.fields) if opening is not None else set()
                    given |= set(REPLY_FIELDS) if pattern.event == ATTEMPT else set()
                    given |= set(ADDED) if pattern.event in DIRECTIONS else set()
        return CORE_COLUMNS + tuple(
            field.name for field in EXPORTED if field.name in given - set(CORE_COLUMNS)
        )
