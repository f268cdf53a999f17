"""What can be read only once (standard input, pipes), kept so that it can be searched several times."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from typing import IO, Any, BinaryIO

from mailscope.intake.reader import Source, sniff_compression
from mailscope.vocabulary.errors import InputError


class Kept:
    """Sources with those that can be read only once replaced by copies.

    The copies are temporary files that nobody else may read; they go when ``close`` is called (or the
    program ends).
    """

    def __init__(self, files: Sequence[Source], stdin: BinaryIO | None = None) -> None:
        self.problems: list[InputError] = []
        self._copies: list[IO[Any]] = []
        self.files = [self._keep(source, stdin) if source.size_bytes is None else source for source in files]

    def _keep(self, source: Source, stdin: BinaryIO | None) -> Source:
        copy = tempfile.NamedTemporaryFile(prefix="mailscope-")  # noqa: SIM115  (closed by close)
        self._copies.append(copy)
        try:
            if source.path == "-":
                shutil.copyfileobj(stdin or sys.stdin.buffer, copy, 1 << 20)
            else:
                with open(source.path, "rb") as pipe:
                    shutil.copyfileobj(pipe, copy, 1 << 20)
            copy.flush()
            size = copy.seek(0, 2)
            copy.seek(0)
            compression = sniff_compression(copy.read(10))
        except OSError as error:
            self.problems.append(InputError.from_os_error(error, source.name))
            size, compression = 0, "none"
        return replace(source, path=copy.name, size_bytes=size, compression=compression)

    def close(self) -> None:
        """Remove the copies."""
        for copy in self._copies:
            copy.close()
