"""The log lines of qmail and Postfix that the articles on reading mail logs explain in their tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

from mailscope.causes.files import read

CLASSES: Final = ("status", "fatal", "serious", "message", "delivery", "warning")


@dataclass(frozen=True, slots=True)
class Message:
    """A line and what it means: ``kind`` is one of CLASSES; ``words``: meaning and advice by language."""

    program: str
    kind: str
    fault: str
    says: str
    example: str
    words: Mapping[str, Mapping[str, str]]


@cache
def messages() -> tuple[Message, ...]:
    """All of them, in the order in which they are looked for."""
    return tuple(
        Message(
            entry["program"],
            entry["class"],
            entry["fault"],
            entry["says"],
            entry["example"],
            {language: entry[language] for language in ("en", "zh", "it", "sv")},
        )
        for entry in read("messages")["message"]
    )


def find(text: str) -> Message | None:
    """The message that a line is; None for one that no table explains."""
    lowered = text.lower()
    return next((message for message in messages() if message.says in lowered), None)
