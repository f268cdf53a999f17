"""Run the search in a process of its own, while this one gets ready to understand what it finds.

Searching bytes needs nothing but the standard library; understanding them needs Polars and the patterns,
which take longer to load than 366 MB of log to look through.  So the search is forked off before they
are loaded, and its result comes back through a pipe.  Where that is not safe (threads are running) or
not possible, the search simply runs here.

It reads only what is named, writes nothing, and ends with its parent.
"""

from __future__ import annotations

import os
import pickle
import signal
import sys
import threading
from collections.abc import Callable
from typing import Final, TypeVar

Result = TypeVar("Result")

# Libraries that start threads of their own; a fork would leave their locks as they happen to be.
THREADED: Final = ("polars", "duckdb", "pyarrow", "numpy")


def begin(task: Callable[[], Result]) -> Callable[[], Result]:
    """Start a task; what is given back waits for its result.

    The result must be picklable.  Errors: whatever the task raises, when the result is asked for.
    """
    if (
        not hasattr(os, "fork")
        or threading.active_count() > 1
        or any(name in sys.modules for name in THREADED)
    ):
        return task
    sys.stdout.flush()
    sys.stderr.flush()
    receive, send = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(receive)
        _work(task, send)
    os.close(send)

    def wait() -> Result:
        with os.fdopen(receive, "rb") as pipe:
            answer = pipe.read()
        _, status = os.waitpid(child, 0)
        if status or not answer:  # killed, out of memory ...: try again where the error can be seen
            return task()
        good, result = pickle.loads(answer)  # what our own child wrote
        if not good:
            raise result
        return result  # type: ignore[no-any-return]

    return wait


def _work(task: Callable[[], Result], send: int) -> None:
    """The child: do the task, send what came of it, and end without any cleaning up of the parent's."""
    status = 1
    try:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # the parent says that it was interrupted
        try:
            answer = pickle.dumps((True, task()), pickle.HIGHEST_PROTOCOL)
        except Exception as error:  # the parent raises it
            answer = pickle.dumps((False, error), pickle.HIGHEST_PROTOCOL)
        with os.fdopen(send, "wb") as pipe:
            pipe.write(answer)
        status = 0
    finally:
        os._exit(status)
