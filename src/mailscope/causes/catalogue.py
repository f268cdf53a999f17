"""The causes: what each means, whose fault it is, what to do, and where that is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, Literal

from mailscope.causes.files import names, read

# Outgoing: a delivery of ours failed.  Incoming: we turned a client, a message or a recipient away.
Direction = Literal["outgoing", "incoming"]
OUTGOING: Final = "outgoing"
INCOMING: Final = "incoming"
UNCLASSIFIED: Final = "unclassified"
EXPIRED: Final = "expired"
LOCAL_PROGRAM: Final = "local_program"
POLICY: Final = "policy"


@dataclass(frozen=True, slots=True)
class Text:
    """A cause in words: its name, what it means, what to do, and whose fault it is, in one language."""

    title: str
    meaning: str
    advice: str
    fault: str


@dataclass(frozen=True, slots=True)
class Cause:
    """Why mail was not delivered, or not taken.

    ``fault`` is a word of ``faults.toml``: us, them (the other side's postmaster), sender, recipient, nobody,
    unknown; ``fault_incoming`` where we are the side that refused.
    """

    name: str
    fault: str
    fault_incoming: str
    references: tuple[str, ...]
    words: Mapping[str, Mapping[str, str]]

    def text(self, language: str = "en", direction: Direction = OUTGOING) -> Text:
        """What it is in words, told in a language, for a delivery of ours or for a refusal by us."""
        words = self.words[language]
        advice = words["advice"]
        if direction == INCOMING:
            advice = words.get("advice_incoming", advice)
        return Text(
            words["title"], words["meaning"], advice, fault_words(self.whose_fault(direction), language)
        )

    def whose_fault(self, direction: Direction = OUTGOING) -> str:
        """The word for whose fault it is."""
        return self.fault_incoming if direction == INCOMING else self.fault


@cache
def catalogue() -> dict[str, Cause]:
    """All causes, by name."""
    found: dict[str, Cause] = {}
    for name in names("causes"):
        for entry in read(name)["cause"]:
            cause = _cause(entry)
            if cause.name in found:
                raise ValueError(f"{name}: cause '{cause.name}' is declared twice")
            found[cause.name] = cause
    return found


def get(name: str) -> Cause:
    """The cause of that name; a KeyError for a name that is none."""
    return catalogue()[name]


def fault_words(fault: str, language: str = "en") -> str:
    """Whose fault it is, in words."""
    return str(read("faults")[fault][language])


def _cause(entry: Mapping[str, Any]) -> Cause:
    return Cause(
        name=entry["name"],
        fault=entry["fault"],
        fault_incoming=entry.get("fault_incoming", entry["fault"]),
        references=tuple(entry["references"]),
        words={key: value for key, value in entry.items() if isinstance(value, Mapping)},
    )
