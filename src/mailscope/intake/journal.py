"""The host's journal as a source of lines, through journalctl.

Read only where a host logs mail nowhere else.  ``short-iso-precise`` is rsyslog's form of line (stamp
with microseconds and zone, host, tag, pid), so that nothing else has to know of the journal here.
"""

from __future__ import annotations

import shutil
import subprocess
from io import BufferedReader
from typing import BinaryIO, Final

from mailscope.intake.reader import Source
from mailscope.vocabulary.errors import InputError

NAME: Final = "journal:"
MAIL_FACILITY: Final = "2"


def open_journal() -> tuple[Source, BinaryIO]:
    """The journal's mail lines as a source and the pipe to read it from.

    Raises InputError where there is no journalctl.
    """
    command = shutil.which("journalctl")
    if command is None:
        raise InputError("there is no journalctl", NAME, "name the log files to read")
    process = subprocess.Popen(
        [
            command,
            "--quiet",
            "--no-pager",
            "--output=short-iso-precise",
            f"SYSLOG_FACILITY={MAIL_FACILITY}",
        ],
        stdout=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
    )
    assert isinstance(process.stdout, BufferedReader)
    source = Source(
        path="-", name=NAME, set_id=NAME, age_rank=0, mtime=None, size_bytes=None, compression="none"
    )
    # The pipe's raw end: the reader does its own buffering.
    return source, process.stdout
