"""Secrets, which stand in files that settings name."""

from __future__ import annotations

from pathlib import Path

from mailscope.vocabulary.errors import InputError


def first_line(path: str, what: str) -> str:
    """The secret in a file's first line that is not empty; it may begin with any character.

    Raises InputError, without a word of what is in it.
    """
    return _lines(path, what)[0]


def lines(path: str, what: str) -> list[str]:
    """The lines of a file that are not empty and no comment, at least one."""
    found = [line for line in _lines(path, what) if not line.startswith("#")]
    if not found:
        raise InputError("it is empty", path, f"write {what} into it")
    return found


def _lines(path: str, what: str) -> list[str]:
    try:
        text = Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise InputError.from_os_error(error, path) from error
    except UnicodeDecodeError as error:
        raise InputError("it is not UTF-8", path, f"write {what} into it") from error
    found = [line.strip() for line in text.splitlines() if line.strip()]
    if not found:
        raise InputError("it is empty", path, f"write {what} into it")
    if any(not line.isprintable() for line in found):
        raise InputError("it has characters that cannot be printed", path, f"write {what} into it")
    return found
