"""The receiver as a feed of the daemon: what has come over the sockets, as lines.

Sockets cannot be read again, so arrivals have no resume point: what the daemon took and did not store
before it was killed is lost, as is what a sender had handed to the kernel.  Each socket is a source; its
offsets and line numbers count from the start of the daemon.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Sequence

from mailscope.intake.live import Arrival
from mailscope.language.phrase import Phrase
from mailscope.syslog.receiver.counts import Counts
from mailscope.syslog.receiver.limits import Limits
from mailscope.syslog.receiver.listener import Listener
from mailscope.syslog.receiver.message import Message
from mailscope.syslog.receiver.notices import Notices, problems
from mailscope.syslog.receiver.queue import Batch, Queue
from mailscope.syslog.receiver.relayed import line
from mailscope.syslog.receiver.server import Server


class Receiver:
    """A ``Feed`` (``intake/live.py``) of syslog messages.

    ``stop`` before the last ``take`` gives what has come until then; ``close`` alone forgets what was not
    taken.
    """

    def __init__(
        self, listeners: Sequence[Listener], limits: Limits | None = None, host: str | None = None
    ) -> None:
        """Listen, and receive from now on.

        ``host``: the name of this host (default: its own, as rsyslogd gives it,
        without its domain).  Raises InputError where a socket cannot be opened or a certificate not be used.
        """
        self._host = (host or socket.gethostname().partition(".")[0] or "localhost").encode()
        self._queue = Queue((limits or Limits()).queue_bytes)
        self._notices = Notices(self._host)
        self._places: dict[str, tuple[int, int]] = {}  # offset and line number that come next
        self._stopped = self._let_go = False
        self._asked = list(listeners)
        self._server = Server(listeners, limits or Limits(), self._deliver, self._tell)
        self._server.start()

    @property
    def listeners(self) -> Sequence[Listener]:
        """Where it listens, with the ports that the kernel chose."""
        return self._server.listeners

    @property
    def counts(self) -> dict[str, Counts]:
        """Counts of each socket, by the listener's name."""
        return self._server.counts

    @property
    def waiting_bytes(self) -> int:
        """How much was received and not taken yet."""
        return self._queue.waiting_bytes

    def take(self, limit_bytes: int) -> Sequence[Arrival]:
        """What has come, at most about so many bytes; one arrival for each socket that has lines.

        Raises what ended the receiver, if a mistake of our own did, when all that had come is taken.
        """
        batches, room = self._queue.take(limit_bytes)
        if not batches and self._server.failure is not None:
            raise self._server.failure
        if room and not self._let_go:
            self._server.resume()
        by_source: dict[str, list[Batch]] = {}
        for batch in batches:
            by_source.setdefault(batch.source, []).append(batch)
        return [self._arrival(source, of_it) for source, of_it in by_source.items()]

    def stored(self, arrivals: Sequence[Arrival]) -> None:
        """Nothing to remember: sockets cannot be read again."""

    def problems(self) -> Sequence[str]:
        """Messages lost, cut or refused in the last quarter of an hour; that senders are made to wait."""
        now_us = time.time_ns() // 1000
        out: list[str] = list(problems(self._server.counts, now_us))
        if self._queue.full:
            size = self._queue.waiting_bytes
            out.append(
                Phrase("syslog receiver: {n} bytes wait to be stored; senders are made to wait", n=size)
            )
        return out

    def reload(self, listeners: Sequence[Listener] | None = None, limits: Limits | None = None) -> None:
        """Read the certificates again, for connections to come; and go on with other listeners and limits.

        A socket that is listened on before and after stays open, with its connections; what has come over
        another is taken in before it is closed.  Raises InputError for files that cannot be used and sockets
        that cannot be opened; everything goes on as it was then.
        """
        self._server.change(
            self._asked if listeners is None else listeners, self._server.limits if limits is None else limits
        )
        self._asked = self._asked if listeners is None else list(listeners)
        self._queue.limit(self._server.limits.queue_bytes)

    def end(self) -> bool:
        """Take no more connections; whether something has still to be taken.  Does not wait."""
        self._stopped = True
        going_on = self._server.finish()
        return going_on or bool(self._queue.waiting_bytes)

    def stop(self) -> None:
        """Take in what has come and let go of the sockets; ``take`` gives the rest."""
        self._stopped = True
        if not self._let_go:
            self._let_go = True
            self._server.stop()

    def close(self) -> None:
        """Let go of the sockets."""
        self.stop()

    def _deliver(self, listener: Listener, messages: list[Message]) -> bool:
        names_host, host = listener.tells_host, self._host
        lines = [line(message, host, names_host=names_host) for message in messages]
        lines.append(b"")
        return self._queue.put(Batch(f"syslog {listener.name}", b"\n".join(lines), len(messages)))

    def _tell(self) -> None:
        """Put our own lines beside those that they are about; while there is no room, they wait.

        At the end they are said in any case.
        """
        if self._queue.full and not self._stopped:
            return
        now_us = time.time_ns() // 1000
        for name, counts in self._server.counts.items():
            said = self._notices.lines(name, counts, now_us, at_once=self._stopped)
            if said:
                self._queue.put(Batch(f"syslog {name}", b"\n".join((*said, b"")), len(said)))

    def _arrival(self, source: str, batches: list[Batch]) -> Arrival:
        data = b"".join(batch.data for batch in batches)
        offset, number = self._places.get(source, (0, 1))
        lines = sum(batch.lines for batch in batches)
        self._places[source] = (offset + len(data), number + lines)
        return Arrival(source, data, offset, number)
