"""Running our multilog in processes of its own, without starting Python for each."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from mailscope.syslog.multilog.feed import Feed
from mailscope.syslog.multilog.insisting import Fatal
from mailscope.syslog.multilog.script import parse


def in_child(work: Callable[[], None]) -> int:
    """Do something in a child process; its exit code, or minus the signal that ended it."""
    pid = os.fork()
    if not pid:
        code = 99
        try:
            work()
            code = 0
        except SystemExit as done:
            code = int(done.code or 0)
        finally:
            os._exit(code)
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status)


def multilog(arguments: Sequence[bytes], folder: Path, given: Path, errors: Path) -> int:
    """Run a script in a folder on a file; what it says goes into ``errors``."""

    def work() -> None:
        os.umask(0o022)
        source = os.open(given, os.O_RDONLY)
        os.dup2(os.open(errors, os.O_WRONLY | os.O_CREAT | os.O_APPEND), 2)
        sys.stderr = open(2, "w", closefd=False)  # noqa: SIM115
        os.chdir(folder)
        try:
            Feed(parse(arguments), source).run()
        except Fatal as error:
            sys.stderr.write(f"multilog: fatal: {error}\n")
            sys.stderr.flush()
            os._exit(111)

    return in_child(work)
