"""Everything that the daemon takes, into a sealed archive beside the store.

In: lines of one source, cleaned as the settings say.  Out: the same lines, which are in the archive, or wait
for it where its disk is full.  What is taken again after the daemon was killed is in the archive twice: it
is there to prove what was logged, not to count it.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from mailscope.daemon.trouble import Trouble
from mailscope.syslog.archive.writer import Archive
from mailscope.vocabulary.errors import MailscopeError

# Bytes that wait for an archive that cannot be written; then lines are left out of it, and counted.
MOST_WAITING: Final = 64 << 20


class Archiving:
    """The archive that the settings name, if they name one.  Raises what ``Archive`` raises."""

    def __init__(self, directory: str, say: Callable[[str], None]) -> None:
        self._archive = Archive(Path(directory)) if directory else None
        self._say = say
        self._waiting: list[bytes] = []
        self._left_out = 0
        self._trouble = Trouble(
            "the archive cannot be written",
            "lines wait for it, the next try follows",
            "the archive takes lines again",
            say,
        )

    def take(self, data: bytes) -> None:
        """Archive some lines, with those that wait."""
        if self._archive is None:
            return
        if sum(map(len, self._waiting)) + len(data) <= MOST_WAITING:
            self._waiting.append(data)
        else:
            self._left_out += data.count(b"\n")
        if not self._trouble.waiting:
            self._write()

    def _write(self) -> None:
        assert self._archive is not None
        try:
            while self._waiting:
                self._archive.add(self._waiting[0])
                del self._waiting[0]
        except MailscopeError as error:
            self._trouble.met(error)
            return
        self._trouble.passed()
        if self._left_out:
            self._say(f"the archive lacks {self._left_out} lines that came while it could not be written")
            self._left_out = 0

    def close(self) -> None:
        """Write what waits, and let go."""
        if self._archive is not None:
            self._write()
            self._archive.close()
            self._archive = None
