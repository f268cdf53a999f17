"""A progress bar on standard error while logs are read: bytes done, speed, time left.

It is shown only on a terminal, and only once the work has taken longer than a moment.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from mailscope.intake.sources import Sources

PATIENCE_S: Final = 1.5
REFRESH_S: Final = 0.2


@contextmanager
def progress(sources: Sources, what: str = "Reading") -> Iterator[None]:
    """Show how far the reading of the sources has come, for as long as the block runs.

    The sources' reports are looked at from a thread; the work itself is not slowed down by it.
    """
    if not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
        yield
        return
    done = Event()
    thread = Thread(target=_show, args=(sources, what, done), name="mailscope-progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _show(sources: Sources, what: str, done: Event) -> None:
    if done.wait(PATIENCE_S):
        return
    # Only now: the library takes a while to load.
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(binary_units=True),
        TransferSpeedColumn(),
        TimeRemainingColumn(compact=True),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=total_bytes(sources))
        while True:
            bar.update(task, completed=bytes_done(sources))
            if done.wait(REFRESH_S):
                return


def bytes_done(sources: Sources) -> int:
    """Bytes read so far, as they are stored."""
    # A copy: the work adds reports while this is looked at.
    return sum(report.bytes_read_compressed for report in tuple(sources.reports.values()))


def total_bytes(sources: Sources) -> int | None:
    """Bytes that there are to read; None where that cannot be known (standard input, pipes)."""
    sizes = [source.size_bytes for source in sources.files]
    known = [size for size in sizes if size is not None]
    return sum(known) if len(known) == len(sizes) else None
