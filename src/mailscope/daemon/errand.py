"""Work that a short-lived child does for the daemon, which never waits for it."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import IO, Protocol


class Errand(Protocol):
    """Something to be done from time to time; ``problem``: why it was not, empty where nothing is wrong."""

    problem: str

    def step(self, now: datetime) -> None:
        """Begin or end a child where it is time; ``now`` is naive UTC."""


@dataclass
class Child:
    """A process, when it was begun (naive UTC), and what it says."""

    process: subprocess.Popen[bytes]
    begun: datetime
    said: IO[bytes] = field(repr=False)

    @classmethod
    def started(cls, command: Sequence[str], environment: Mapping[str, str], now: datetime) -> Child:
        """Start a process.  Raises OSError."""
        # Neither a pipe that nobody reads any more nor the terminal's signals may end it.
        said = tempfile.TemporaryFile()  # noqa: SIM115
        try:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=said,
                env=environment,
                start_new_session=True,
            )
        except OSError:
            said.close()
            raise
        return cls(process, now, said)

    def ended(self, now: datetime, longest: timedelta) -> int | None:
        """Its exit code; None while it works.  One that takes longer than ``longest`` is killed."""
        code = self.process.poll()
        if code is None and now - self.begun > longest:
            self.process.kill()
        return code

    def words(self) -> str:
        """The last line that it said."""
        with self.said:
            self.said.seek(0)
            lines = self.said.read().decode(errors="replace").strip().splitlines()
        return lines[-1].removeprefix("mailscope: ")[:300] if lines else ""
