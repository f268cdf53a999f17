"""What recognition makes of a chunk of lines."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from mailscope.recognise.pattern import Pattern


@dataclass(frozen=True, slots=True)
class Part:
    """The lines of a chunk that one pattern knows.

    ``frame`` has ``row`` (UInt32, position in the chunk), ``queue_id`` where the program has one, and
    the captured fields in their types; ``service`` is what the pattern implies beyond the tag.
    ``copied``: these lines stand for several each, so their rows are there several times.
    """

    pattern: Pattern
    service: str | None
    frame: pl.DataFrame
    copied: bool = False

    @property
    def lines(self) -> int:
        """How many lines there are."""
        return self.frame["row"].n_unique() if self.copied else len(self.frame)


@dataclass(frozen=True, slots=True)
class Recognised:
    """A chunk after recognition: parts, rows nobody knows, and the tags that occurred.

    ``tag_code`` gives for each row its position in ``tags`` (program, pid, service, instance, salt);
    ``text`` is the text after the innermost tag; ``told`` is the same without account and process, where
    a program that logs through another one (Dovecot's) names them in the text; ``proper`` is the text proper,
    which patterns were held against: without queue id and whatever else stands in front.
    """

    parts: list[Part]
    unrecognised: pl.Series
    tag_code: pl.Series
    tags: pl.DataFrame
    text: pl.Series
    told: pl.Series
    proper: pl.Series
