"""Texts of records, which may be any bytes."""

from __future__ import annotations


def as_text(held: bytes | bytearray | memoryview) -> str:
    """A text as UTF-8; bytes that are none stand as escapes such as ``\\xe9``."""
    return bytes(held).decode("utf-8", "backslashreplace")
