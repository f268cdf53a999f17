"""Which program a process is, who started it, and the connections between processes.

A process that was there before the trace began is told by what it does: the name it logs under, the socket
it answers at, the queue files it moves.
"""

from __future__ import annotations

import posixpath
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from mailscope.steps.daemons import AGENTS, DUTIES, program_at
from mailscope.steps.strace.calls import Trace
from mailscope.steps.strace.deeds import Deed


@dataclass
class Program:
    """A process.  ``name``: of its program, "?" where nothing tells it; ``words``: its arguments; ``parent``:
    a process id, None where it is not known; ``ended``: how, in strace's words.
    """

    pid: int
    name: str = "?"
    words: list[str] = field(default_factory=list)
    parent: int | None = None
    forked: Deed | None = None
    executed: Deed | None = None
    exited: Deed | None = None
    ended: str = ""

    @property
    def service(self) -> str:
        """The service of master.cf that it is: -n NAME, else its own name."""
        return self._option("-n") or self.name

    @property
    def of_master(self) -> bool:
        """Whether master(8) started it: only it says by which kind of socket a service is reached."""
        return self._option("-t") in ("unix", "inet", "fifo", "pass", "unix-dgram")

    @property
    def of_network(self) -> bool:
        """Whether its clients come over the network."""
        return self._option("-t") in ("inet", "pass") or self.name in ("smtpd", "postscreen", "qmqpd")

    def _option(self, name: str) -> str:
        words = self.words
        return next((words[n + 1] for n in range(len(words) - 1) if words[n] == name), "")


def programs(deeds: Sequence[Deed], traces: Sequence[Trace]) -> dict[int, Program]:
    """All processes, in the order in which they come up."""
    found: dict[int, Program] = {}
    by_pid: dict[int, list[Deed]] = defaultdict(list)
    last: dict[int, int] = {}
    for deed in deeds:
        program = found.setdefault(deed.pid, Program(deed.pid))
        by_pid[deed.pid].append(deed)
        if deed.kind == "forked" and deed.child is not None:
            child = found.setdefault(deed.child, Program(deed.child))
            child.parent, child.forked = deed.pid, deed
        elif deed.kind == "executed":
            program.name, program.words, program.executed = posixpath.basename(deed.text), deed.words, deed
            if program.parent is None and not program.of_master:
                # strace -f follows what it started: one that nobody forked is of the one before it.
                program.parent = last.get(deed.trace.number)
            last[deed.trace.number] = deed.pid
        elif deed.kind == "exited":
            program.exited = deed
    for trace in traces:
        for pid, ended in trace.ends.items():
            if pid in found:
                found[pid].ended = ended
    told = {pid: name for trace in traces for pid, name in trace.names.items()}
    for pid, program in found.items():
        if program.name == "?":
            program.name = told.get(pid) or guess(by_pid[pid]) or "?"
    _name_masters(found)
    return found


def _name_masters(found: dict[int, Program]) -> None:
    for program in found.values():
        if program.of_master and program.parent is not None and found[program.parent].name == "?":
            found[program.parent].name = "master"
    # A process between fork and exec, or whose exec was not seen, is its parent still.
    for program in found.values():
        if program.name == "?" and program.parent in found:
            program.name = found[program.parent].name


def guess(deeds: Sequence[Deed]) -> str | None:
    """The program that does such deeds; None where nothing tells."""
    for tell in (_by_log, _by_socket, _by_files):
        names = [name for deed in deeds if (name := tell(deed))]
        if names:
            return max(set(names), key=lambda name: (names.count(name), name))
    return None


def _by_log(deed: Deed) -> str | None:
    if deed.kind != "logged":
        return None
    if not deed.failed:
        return deed.service
    # Cut short by -s: a name only where no other begins so.
    begins = [name for name in DUTIES if name.startswith(deed.service)]
    return begins[0] if len(begins) == 1 else None


def _by_socket(deed: Deed) -> str | None:
    return program_at(deed.service) if deed.kind == "accepted" and deed.service else None


_MOVED: Final = {
    ("incoming", "active"): "qmgr", ("deferred", "active"): "qmgr", ("active", "deferred"): "qmgr",
    ("deferred", "incoming"): "qmgr", ("active", "corrupt"): "qmgr",
    ("incoming", "incoming"): "cleanup", ("incoming", "hold"): "cleanup",
    ("maildrop", "maildrop"): "postdrop",
}  # fmt: skip


def _by_files(deed: Deed) -> str | None:
    if deed.kind == "moved" and deed.place is not None and deed.to is not None:
        return _MOVED.get((deed.place.queue, deed.to.queue))
    if deed.kind == "connected" and deed.text.startswith("private/") and program_at(deed.service) in AGENTS:
        return "qmgr"
    if deed.place is None:
        return None
    if deed.place.queue == "maildrop":
        return {"made": "postdrop", "opened": "pickup", "removed": "pickup"}.get(deed.kind)
    if deed.kind == "made":
        return {"incoming": "cleanup"}.get(deed.place.queue)
    return None


def meet(deeds: Sequence[Deed], known: dict[int, Program]) -> None:
    """Find for each acceptance the connection that it takes (``Deed.met``).

    With -yy by the inodes of both ends.  Otherwise in order: a listening socket hands out connections in the
    order in which they came.
    """
    waiting: dict[str, list[Deed]] = defaultdict(list)
    by_inode: dict[str, Deed] = {}
    for deed in deeds:
        if deed.kind == "connected" and not deed.failed:
            waiting[deed.service].append(deed)
            if deed.inodes:
                by_inode[deed.inodes[0]] = deed
        elif deed.kind == "accepted":
            program = known[deed.pid]
            if not deed.service and not program.of_network:
                deed.service = program.service
            peer = by_inode.get(deed.inodes[1] or "") if deed.inodes else None
            line = waiting[deed.service]
            if peer is None and deed.inodes is None and deed.service and line:
                peer = line[0]
            if peer is not None and peer in line:
                line.remove(peer)
                deed.met, peer.met = peer, deed
