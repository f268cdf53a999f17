"""What ``mailscope queue show`` prints with postcat's options."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

from mailscope.cli.inputs import say
from mailscope.cli.queue_options import Asked
from mailscope.queues.postfix import places, postcat
from mailscope.queues.postfix.queuefile import load
from mailscope.queues.postfix.records import RecordError
from mailscope.vocabulary.errors import InputError, UsageError


def printed(queue: Asked, names: tuple[str, ...], *, search: bool, **flags: bool) -> Iterator[bytes | str]:
    """The files one after the other.

    A terminal is shown escapes instead of what would drive it; a pipe or file gets the bytes as they are.
    Raises InputError where a file cannot be read or is damaged, after what could be printed of it.
    """
    if queue.mta.name != "postfix":
        raise UsageError("postcat's options are for queue files of Postfix", "-q", "leave them out")
    options = postcat.Options(**flags)
    for name in names:
        label, path = _place(queue, name, search=search)
        for piece in _one(queue, label, path, options):
            yield _shown(piece) if sys.stdout.isatty() else piece


def _place(queue: Asked, name: str, *, search: bool) -> tuple[str, Path]:
    """What a file is called in the output, and where it is: as named, or where the queue has that id."""
    if not search and os.path.exists(name):
        return name, Path(name)
    found = places.Finder(queue.spool.place).find(name)
    if found is None:
        raise InputError("there is no such message in the queue", name, "'mailscope queue list' shows all")
    return found[1].relative_to(queue.spool.place).as_posix(), found[1]


def _one(queue: Asked, label: str, path: Path, options: postcat.Options) -> Iterator[bytes]:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise InputError.from_os_error(error, path) from None
    try:
        data = load(descriptor, os.fstat(descriptor).st_size)
        yield from postcat.Printer(data, label, options, queue.spool.zone, say).pieces()
    except RecordError as error:
        raise InputError(str(error), str(path), "the file is damaged, or is still being written") from None
    except OSError as error:
        raise InputError.from_os_error(error, path) from None
    finally:
        os.close(descriptor)


def _shown(piece: bytes) -> str:
    from mailscope.cli.terminal import safe

    return "\n".join(safe(line) for line in piece.decode("utf-8", "surrogateescape").split("\n"))
