"""A second process that works beside this one.

Threads share Python's lock, and every step needs some Python; two processes do not.
"""

from __future__ import annotations

import contextlib
import ctypes
import multiprocessing
import os
import signal
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Final, Self

PR_SET_PDEATHSIG: Final = 1

Work = Callable[[Connection], None]


class SecondProcess:
    """A process that does one work; ``pipe`` leads to it, and breaks (EOFError, OSError) if it ends.

    In: the work, a function of a module, which gets the other end of the pipe.  The process loads that
    module first, so it should import what is heavy within the function.  Leaving the context ends the
    process.
    """

    def __init__(self, work: Work) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, self._there = context.Pipe()
        self._process = context.Process(target=_child, args=(work, self._there, os.getpid()), daemon=True)

    def __enter__(self) -> Self:
        self._process.start()
        self._there.close()
        return self

    def __exit__(self, *unused: object) -> None:
        self.pipe.close()
        self._process.join(timeout=1)
        if self._process.is_alive():
            self._process.kill()


def _child(work: Work, pipe: Connection, parent: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Should the parent die, this work is of no use to anybody (only Linux has this call).
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() == parent:
        work(pipe)
    pipe.close()
