"""Enhanced status codes (RFC 3463, IANA's registry, providers' own) and SMTP reply codes (RFC 5321)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from mailscope.causes.files import read

ENHANCED: Final = re.compile(r"([245])\.([0-9]{1,3})\.([0-9]{1,3})")
CLASS: Final = {"2": "success", "4": "temporary", "5": "permanent"}


@dataclass(frozen=True, slots=True)
class Code:
    """What a code means.

    ``code``: as registered (``X.1.1`` for 4.1.1 and 5.1.1).  ``cause``: None where the code says nothing of
    it.  ``vague``: so general that words count more.  ``meaning``: by language.
    """

    code: str
    cause: str | None
    vague: bool
    provider: str
    references: tuple[str, ...]
    meaning: Mapping[str, str]


@cache
def enhanced_codes() -> dict[str, Code]:
    """The registered enhanced codes, and those that providers use besides."""
    found: dict[str, Code] = {}
    for name in ("codes/enhanced", "codes/providers"):
        for entry in read(name)["code"]:
            for code in _spread(entry):
                found[code] = _code(code, entry)
    return found


@cache
def reply_codes() -> dict[int, Code]:
    """The reply codes."""
    return {int(entry["code"]): _code(entry["code"], entry) for entry in read("codes/reply")["code"]}


def enhanced(code: str) -> Code | None:
    """What an enhanced code means: its own entry, or that of its subject and detail (``X.1.1``)."""
    parts = ENHANCED.fullmatch(code)
    if parts is None:
        return None
    table = enhanced_codes()
    return table.get(code) or table.get(f"X.{int(parts[2])}.{int(parts[3])}")


def reply(code: int) -> Code | None:
    """What a reply code means."""
    return reply_codes().get(code)


def _spread(entry: Mapping[str, Any]) -> list[str]:
    """All codes of an entry: some providers use a range of details."""
    if "last" not in entry:
        return [entry["code"]]
    stem, _, first = str(entry["code"]).rpartition(".")
    return [f"{stem}.{detail}" for detail in range(int(first), int(entry["last"]) + 1)]


def _code(code: str, entry: Mapping[str, Any]) -> Code:
    return Code(
        code=code,
        cause=entry.get("cause"),
        vague=entry.get("vague", False),
        provider=entry.get("provider", ""),
        references=tuple(entry["references"]),
        meaning={language: entry[language] for language in ("en", "zh", "it", "sv")},
    )
