"""What a person may hand in to be explained, taken apart: replies, log lines, notifications.

A notification (RFC 3464) has a block of fields for each recipient; what qmail, Postfix and Exim write for
people names each recipient before the reply.  Nothing is decoded: the parts that matter are plain text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

FIELD: Final = re.compile(
    r"(final-recipient|original-recipient|action|status|diagnostic-code)[ \t]*:[ \t]*(.*)", re.I
)
ADDRESS: Final = re.compile(r"<([^<>\s]+@[^<>\s]+)>:[ \t]*(.*)")
EXIM_ADDRESS: Final = re.compile(r" {2}([^\s@]+@[^\s@]+)\s*$")
REPLY: Final = re.compile(r"[245][0-9]{2}[ -]")
TYPED: Final = re.compile(r"^[A-Za-z0-9-]+;[ \t]*")
ACTIONS: Final = {"failed": "bounced", "delayed": "deferred"}


@dataclass(frozen=True, slots=True)
class Subject:
    """One thing to explain: its words, and what stands beside them."""

    text: str
    recipient: str | None = None
    status: str | None = None
    dsn_status: str | None = None


def subjects(text: str) -> list[Subject]:
    """The things to explain in a text, in order, each once."""
    lines = text.replace("\r\n", "\n").split("\n")
    found = list(_notified(lines)) or list(_told_to_people(lines)) or list(_single(lines))
    return list(dict.fromkeys(found))


def _notified(lines: list[str]) -> Iterator[Subject]:
    """The recipients' fields of a delivery status notification."""
    fields: dict[str, str] = {}
    name = ""
    for line in [*lines, ""]:
        field = FIELD.match(line)
        if field is not None:
            name = field[1].lower()
            if name in fields and name == "final-recipient":
                yield from _recipient(fields)
                fields = {}
            fields[name] = field[2].strip()
        elif name and line[:1] in (" ", "\t") and line.strip():
            fields[name] += " " + line.strip()
        elif line.strip():
            name = ""
        else:
            yield from _recipient(fields)
            fields, name = {}, ""


def _recipient(fields: dict[str, str]) -> Iterator[Subject]:
    if "status" not in fields and "diagnostic-code" not in fields:
        return
    if "final-recipient" not in fields and "action" not in fields:
        return
    address = TYPED.sub("", fields.get("final-recipient", "")) or None
    code = fields.get("status", "").split(" ", 1)[0] or None
    text = TYPED.sub("", fields.get("diagnostic-code", "")) or code or ""
    yield Subject(text, address, ACTIONS.get(fields.get("action", "").lower()), code)


def _told_to_people(lines: list[str]) -> Iterator[Subject]:
    """Paragraphs that begin with a recipient's address, as qmail, Postfix and Exim write them."""
    for place, line in enumerate(lines):
        known = ADDRESS.match(line) or EXIM_ADDRESS.match(line)
        if known is None or (place and lines[place - 1].strip()):
            continue
        words = [known[2].strip()] if known.re is ADDRESS and known[2].strip() else []
        for more in lines[place + 1 :]:
            if not more.strip() or ADDRESS.match(more) or more.startswith("---"):
                break
            words.append(more.strip())
        if words:
            yield Subject(" ".join(words), known[1], "bounced")


def _single(lines: list[str]) -> Iterator[Subject]:
    """Each line by itself; the lines of one reply, and what is wrapped, together."""
    held: list[str] = []
    for line in lines:
        words = line.strip()
        if held and words and (line[0] in " \t" or (REPLY.match(held[-1]) and held[-1][3:4] == "-")):
            held.append(words)
            continue
        if held:
            yield Subject(" ".join(held))
        held = [words] if words else []
    if held:
        yield Subject(" ".join(held))
