"""What is written goes to a log beside the DuckDB file (.wal) first, and from there into the file at times.

DuckDB calls that a checkpoint.  It takes up to a second, so it is done in a thread while what comes is read:
only the next transaction waits for it.  What is in the log is read again after a crash.
"""

from __future__ import annotations

from contextlib import closing, suppress
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

from mailscope.store.connecting import another, log_of

if TYPE_CHECKING:
    import duckdb


class WriteAhead:
    """The log of a DuckDB file."""

    def __init__(self, path: Path) -> None:
        self._path = log_of(path)
        self._thread: Thread | None = None

    def size(self) -> int:
        """Bytes that are not in the file itself."""
        try:
            return self._path.stat().st_size
        except FileNotFoundError:
            return 0

    def bring_in(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Begin to bring all of it into the file, unless somebody writes just now."""
        self.wait()
        self._thread = Thread(target=_checkpoint, args=(another(connection),), name="checkpoint", daemon=True)
        self._thread.start()

    def wait(self) -> None:
        """Wait until what was begun is done."""
        if self._thread is not None:
            self._thread.join()
            self._thread = None


def _checkpoint(cursor: duckdb.DuckDBPyConnection) -> None:
    import duckdb

    # Where it fails for good, as on a full disk, the next transaction fails as well, and says so.
    with closing(cursor), suppress(duckdb.Error):
        cursor.execute("checkpoint")
