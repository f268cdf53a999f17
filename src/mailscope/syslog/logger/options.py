"""What logger is asked to do, checked as the original checks it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final, Literal

from mailscope.intake.discovery.probes import FACILITIES, SEVERITIES
from mailscope.syslog.codes import ALIASES
from mailscope.vocabulary.errors import UsageError

Header = Literal["local", "rfc3164", "rfc5424"]
Protocol = Literal["any", "udp", "tcp"]
USER: Final = 1
_KNOWN_IDS: Final = ("timeQuality", "origin", "meta")
_ID: Final = re.compile(r'([^\x00-\x20\x7f\[="@]+)@[0-9]+(?:\.[0-9]+)*')
_PARAM: Final = re.compile(r'[^="]+="[^"]*"')
_SIZE: Final = re.compile(r"([0-9]+)(?:([KMGTPE])(?:iB)?|([KMGTPE])B)?", re.IGNORECASE)


@dataclass
class Options:
    """``priority``: facility * 8 + severity; ``process``: the id behind the tag, 0 for none; ``data``: pairs
    of an id and its parameters, in order; ``size``: of a message at most, in bytes."""

    priority: int = USER * 8 + 5
    tag: str = ""
    process: int = 0
    header: Header | None = None
    server: str | None = None
    port: str | None = None
    protocol: Protocol = "any"
    socket: str = "/dev/log"
    size: int = 1024
    to_stderr: bool = False
    act: bool = True
    octet_count: bool = False
    priority_prefix: bool = False
    skip_empty: bool = False
    message_id: str = ""
    with_time: bool = True
    with_quality: bool = True
    with_host: bool = True
    socket_errors: bool = False
    data: list[tuple[str, list[str]]] = field(default_factory=list)


def priority(text: str) -> int:
    """``mail.info``, ``info`` (of user), or numbers as in <syslog.h> (mail is 16).  Raises UsageError."""
    facility, dot, level = text.partition(".")
    code = USER
    if dot:
        code = _facility(facility)
    else:
        level = text
    name = ALIASES.get(level.lower(), level.lower())
    if name in SEVERITIES:
        severity = SEVERITIES.index(name)
    elif level.isascii() and level.isdigit() and int(level) < len(SEVERITIES):
        severity = int(level)
    else:
        raise UsageError(f"unknown priority name: {level}", "--priority", f"one of {', '.join(SEVERITIES)}")
    # Messages of the kernel are the kernel's alone.
    return (code or USER) * 8 + severity


def _facility(text: str) -> int:
    name = {"security": "auth"}.get(text.lower(), text.lower())
    known = FACILITIES[:12] + FACILITIES[16:]
    if name in known:
        return FACILITIES.index(name)
    if text.isascii() and text.isdigit() and text in {str(FACILITIES.index(each) << 3) for each in known}:
        return int(text) >> 3
    raise UsageError(f"unknown facility name: {text}", "--priority", f"one of {', '.join(known)}")


def size(text: str) -> int:
    """``1024``, ``4k``, ``1MiB``, ``1MB``.  Raises UsageError."""
    found = _SIZE.fullmatch(text)
    if found is None:
        raise UsageError(f"failed to parse message size: '{text}'", "--size", "such as 1024 or 4k")
    made = int(found[1])
    power = "KMGTPE".index((found[2] or found[3]).upper()) + 1 if found[2] or found[3] else 0
    unit: int = 1000 if found[3] else 1024
    for _ in range(power):
        made *= unit
    return made


def data(ids_and_parameters: list[tuple[str, str]]) -> list[tuple[str, list[str]]]:
    """Structured data, from ``("id", ...)`` and ``("param", ...)`` in the order in which they were given.

    Raises UsageError.
    """
    made: list[tuple[str, list[str]]] = []
    for kind, text in ids_and_parameters:
        if kind == "id":
            if text not in _KNOWN_IDS and not _ID.fullmatch(text):
                raise UsageError(f"invalid structured data ID: '{text}'", "--sd-id", "such as ours@32473")
            if any(text == other for other, _ in made):
                raise UsageError(f"structured data ID '{text}' is not unique", "--sd-id")
            made.append((text, []))
        elif not _PARAM.fullmatch(text):
            raise UsageError(f"invalid structured data parameter: '{text}'", "--sd-param", 'such as a="b"')
        elif not made:
            raise UsageError(f"--sd-id was not specified for --sd-param {text}", "--sd-param")
        else:
            made[-1][1].append(text)
    return made
