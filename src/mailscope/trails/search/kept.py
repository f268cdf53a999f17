"""What can be read only once (standard input, pipes), kept so that it can be searched several times."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from typing import IO, BinaryIO

from mailscope.intake.reader import Compression, Source, sniff_compression
from mailscope.vocabulary.errors import InputError


class Kept:
    """Sources with those that can be read only once replaced by copies.

    The copies are files without a name, which nobody else can open and which end with this program,
    however that ends.
    """

    def __init__(self, files: Sequence[Source], pipe: BinaryIO | None = None) -> None:
        self.problems: list[InputError] = []
        self._copies: list[IO[bytes]] = []
        self.files = [self._keep(source, pipe) if source.size_bytes is None else source for source in files]

    def _keep(self, source: Source, pipe: BinaryIO | None) -> Source:
        copy = tempfile.TemporaryFile()  # noqa: SIM115  (closed by close)
        self._copies.append(copy)
        compression: Compression = "none"
        size = 0
        try:
            if source.path == "-":
                shutil.copyfileobj(pipe or sys.stdin.buffer, copy, 1 << 20)
            else:
                with open(source.path, "rb") as opened:
                    shutil.copyfileobj(opened, copy, 1 << 20)
            size = copy.seek(0, 2)
            copy.seek(0)
            compression = sniff_compression(copy.read(10))
        except OSError as error:
            self.problems.append(InputError.from_os_error(error, source.name))
        path = f"/proc/self/fd/{copy.fileno()}"
        return replace(source, path=path, size_bytes=size, compression=compression)

    def close(self) -> None:
        """Let go of the copies."""
        for copy in self._copies:
            copy.close()
