"""Writing a result to standard output, or to a file that appears only when it is whole."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

from mailscope.exports.output import OutputFile, check_directory
from mailscope.vocabulary.errors import OutputError

STANDARD_OUTPUT = Path("-")


def write(pieces: Iterable[bytes | str], output: Path | None) -> None:
    """Write pieces one after the other.

    ``output``: a file, which is replaced in one step when all is written, so that nobody ever reads half of
    it (a device or a pipe is written to as it is); or None or ``-`` for standard output.  Raises OutputError
    where the file cannot be written; nothing is left behind then.
    """
    if output is None or output == STANDARD_OUTPUT:
        stream = sys.stdout.buffer
        encoding = sys.stdout.encoding or "utf-8"
        for piece in pieces:
            stream.write(piece if isinstance(piece, bytes) else piece.encode(encoding, "backslashreplace"))
        stream.flush()
        return
    with OutputFile(str(output)) as file:
        for piece in pieces:
            file.out.write(piece if isinstance(piece, bytes) else piece.encode("utf-8", "backslashreplace"))


def writable(output: Path | None) -> None:
    """Make sure that a file can be made there, before hours are spent on what goes into it.

    Raises OutputError where it cannot.
    """
    if output is None or output == STANDARD_OUTPUT:
        return
    if output.is_dir():
        raise OutputError("it is a directory", str(output), "name a file in it")
    if output.exists() and not output.is_file():
        return
    check_directory(output, str(output))
