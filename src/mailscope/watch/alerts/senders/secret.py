"""Secrets, which stand in files that settings name."""

from __future__ import annotations

from pathlib import Path

from mailscope.vocabulary.errors import InputError


def first_line(path: str, what: str) -> str:
    """The secret in a file's first line.  Raises InputError, without a word of what is in it."""
    return lines(path, what)[0]


def lines(path: str, what: str) -> list[str]:
    """The lines of a file that are not empty and no comment, at least one."""
    try:
        text = Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise InputError.from_os_error(error, path) from error
    except UnicodeDecodeError as error:
        raise InputError("it is not UTF-8", path, f"write {what} into it") from error
    found = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    if not found:
        raise InputError("it is empty", path, f"write {what} into it")
    if any(not line.isprintable() for line in found):
        raise InputError("it has characters that cannot be printed", path, f"write {what} into it")
    return found
