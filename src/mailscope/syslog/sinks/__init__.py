"""Where messages are written: files, devices, pipes, other hosts, people's terminals.

In: messages of one batch.  Out: lines; what could not be written is counted and said.  What may have to be
waited for has a thread and a bounded queue of its own (``background.py``), so that nothing holds up the
receiver.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, Protocol

from mailscope.syslog.conf.rules import Action, Kind
from mailscope.syslog.record import Record
from mailscope.syslog.sinks.background import Background
from mailscope.syslog.sinks.commands import CommandSink
from mailscope.syslog.sinks.files import FileSink
from mailscope.syslog.sinks.hosts import TcpSink, UdpSink
from mailscope.syslog.sinks.pipes import OpenedSink
from mailscope.syslog.sinks.terminals import TerminalSink

Say = Callable[[str], None]


class Sink(Protocol):
    """What takes messages."""

    def write(self, records: Sequence[Record]) -> None:
        """Write some messages; never raises for what the disk or the network does."""

    def reopen(self) -> None:
        """Open anew, as after a rotation by somebody else."""

    def close(self) -> None:
        """Write what is left and let go."""


def _background(make: Callable[[Action, Say], Sink]) -> Callable[[Action, Say], Sink]:
    return lambda action, say: Background(make(action, say), action.target, say)


_SINKS: Final[dict[Kind, Callable[[Action, Say], Sink]]] = {
    "file": FileSink,
    "device": _background(OpenedSink),
    "fifo": _background(OpenedSink),
    "command": _background(CommandSink),
    "udp": _background(UdpSink),
    "tcp": _background(TcpSink),
    "users": _background(TerminalSink),
    "everyone": _background(TerminalSink),
}


def sink(action: Action, say: Say) -> Sink | None:
    """What does an action; None for one that writes nothing.  ``say``: tells a person, once per change."""
    make = _SINKS.get(action.kind)
    return make(action, say) if make else None
