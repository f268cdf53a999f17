"""What a queue file holds besides the envelope: its attributes (client, login, filter) and the header of the
message.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from mailscope.queues.content import Content
from mailscope.queues.postfix.queuefile import load
from mailscope.queues.postfix.records import (
    ATTRIBUTE,
    CONTINUED,
    EXTRACTED,
    FILTER,
    MESSAGE,
    NORMAL,
    Data,
    RecordError,
    walk,
)
from mailscope.vocabulary.errors import InputError

# Headers of a message that somebody reads are shorter; the rest is left out and that is said.
LARGEST: Final = 1 << 20
_OTHERS: Final = {ord("F"): "sender_fullname", ord("I"): "content_inspector", ord(">"): "redirect_to"}


def content(path: Path) -> Content:
    """The attributes and the header of a file.  Raises InputError where it cannot be read."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise InputError.from_os_error(error, path) from None
    found = Content()
    try:
        _gather(found, load(descriptor, os.fstat(descriptor).st_size))
    except RecordError as error:
        found.problems.append(str(error))
    except OSError as error:
        raise InputError.from_os_error(error, path) from None
    finally:
        os.close(descriptor)
    return found


def _gather(found: Content, data: Data) -> None:
    inside, line, size = False, b"", 0
    lines: list[bytes] = []
    for _, kind, payload in walk(data):
        if kind == MESSAGE:
            inside = True
        elif kind == EXTRACTED or (inside and kind == NORMAL and not line and not payload):
            break
        elif inside and kind in (NORMAL, CONTINUED):
            line += payload
            size += len(payload)
            if kind == NORMAL:
                lines.append(line)
                line = b""
            if size > LARGEST:
                found.problems.append(f"the header is longer than {LARGEST:,} bytes: the rest is not shown")
                break
        elif kind == ATTRIBUTE:
            name, _, value = payload.partition(b"=")
            found.attributes[_text(name)] = _text(value)
        elif kind == FILTER:
            found.attributes["content_filter"] = _text(payload)
        elif kind in _OTHERS:
            found.attributes[_OTHERS[kind]] = _text(payload)
    found.take_header(lines)


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")
