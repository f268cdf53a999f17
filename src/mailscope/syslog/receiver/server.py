"""One thread that reads all sockets of a receiver.

In: listeners, limits, and a function that takes messages and says whether it can take more.  When it
cannot, reading rests until ``resume``: senders over streams wait, the kernel keeps datagrams of the network
as long as it has room and counts what it drops; programs of this host that write datagrams are never held
up, and what they lose is counted. Out: messages, counts.  Every turn a socket gives a bounded amount,
datagrams first, and few handshakes go on, so that no sender keeps the others waiting.
"""

from __future__ import annotations

import resource
import selectors
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from typing import Final

from mailscope.syslog.receiver.counts import Counts
from mailscope.syslog.receiver.datagrams import Datagrams
from mailscope.syslog.receiver.doors import Door, Opened
from mailscope.syslog.receiver.limits import Limits
from mailscope.syslog.receiver.listener import Listener
from mailscope.syslog.receiver.message import Message
from mailscope.syslog.receiver.places import Place, Places, shut
from mailscope.syslog.receiver.streams import TURN_BYTES, Connection
from mailscope.vocabulary.errors import InputError

Deliver = Callable[[Listener, list[Message]], bool]
TICK_S: Final = 1.0
_SHAKEN: Final = 4  # steps of handshakes a turn: each may take a millisecond of arithmetic
# Many busy connections must not keep datagrams waiting.
_DATAGRAMS_EVERY_S: Final = 0.02
# When it ends, what is under way is read until nothing has come for so long, and not longer than that.
_QUIET_S: Final = 0.1
_DRAIN_S: Final = 2.0
_LEAVE_S: Final = 0.5  # for what has come over one that is closed
_CHANGE_S: Final = 30.0  # within which other sockets are opened
_SPARE_FILES: Final = 256  # descriptors for everything else in this process
_READ, _WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE


class Server:
    """Reads sockets in a thread of its own, from ``start`` to ``stop``.

    ``listeners`` have the ports that the kernel gave them; ``counts`` are theirs; ``failure``: a mistake of
    our own that ended the thread.
    """

    def __init__(
        self,
        listeners: Sequence[Listener],
        limits: Limits,
        deliver: Deliver,
        tick: Callable[[], None] = lambda: None,
    ) -> None:
        """Open the sockets.  Raises InputError where one cannot be opened, and leaves none open then."""
        self.limits = limits
        self.failure: Exception | None = None
        self._deliver, self._tick = deliver, tick
        self._opened = Opened(limits)
        self._asked: deque[tuple[Callable[[], None], Future[None]]] = deque()
        self._unfinished = 0
        self._buffer = memoryview(bytearray(TURN_BYTES))
        self._wake, self._waker = socket.socketpair()
        # What is waited for, and what is waited for while reading rests.
        self._busy, self._resting = selectors.DefaultSelector(), selectors.DefaultSelector()
        self._places = Places(self._busy, self._resting, self._leave)
        self._rested_since: float | None = None
        self._stopping = self._closing = False
        self._thread = threading.Thread(target=self._run, name="syslog receiver", daemon=True)
        try:
            for side in (self._wake, self._waker):
                side.setblocking(False)
            for selector in (self._busy, self._resting):
                selector.register(self._wake, _READ, None)
            self._change(listeners, limits)
        except BaseException:
            self._let_go()
            raise

    @property
    def listeners(self) -> Sequence[Listener]:
        """Where it listens."""
        return self._places.listeners

    @property
    def counts(self) -> dict[str, Counts]:
        """Counts of each socket, by the listener's name."""
        return self._places.counts

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    def resume(self) -> None:
        """Messages can be taken again; from any thread."""
        with suppress(BlockingIOError):  # full of wake-up calls already
            self._waker.send(b"\0")

    def change(self, listeners: Sequence[Listener], limits: Limits) -> None:
        """Listen where these say from now on, and read certificates again.

        Sockets that are asked for as before stay open with their connections, unless a peer is not allowed
        any more; limits are for connections to come. What has come over the others is read before they
        are closed.  Raises what opening raises; then everything is as it was.
        """
        if not self._thread.is_alive():
            raise InputError("the receiver has ended", "syslog receiver", "restart the daemon")
        done: Future[None] = Future()
        self._asked.append((lambda: self._change(listeners, limits), done))
        self.resume()
        done.result(_DRAIN_S + _CHANGE_S)

    def finish(self) -> bool:
        """Take no more connections and read what has come; whether that goes on.  Does not wait."""
        if not self._stopping:
            self._stopping = True
            self.resume()
        return self._thread.is_alive()

    def stop(self) -> None:
        """Read what has come, for two seconds at most, and let go of the sockets."""
        self._closing = True
        self.finish()
        if self._thread.ident is not None:
            self._thread.join()
        self._let_go()

    def _change(self, listeners: Sequence[Listener], limits: Limits) -> None:
        _allow_files(limits.connections + _SPARE_FILES)
        self._places.change(listeners, limits.message_bytes)
        self.limits = self._opened.limits = limits
        now_us = _now_us()
        by_name = {door.listener.name: door.listener for door in self._places.doors}
        # Connections go on where they came in, if they still may.
        for connection in self._opened:
            listener = by_name.get(connection.listener.name)
            if listener is not None and listener.allowed.allowed(connection.peer):
                connection.listener = listener
                continue
            self._read_rest(connection, now_us)
            if not connection.ended and listener is not None:
                connection.refuse("refused", now_us)
            self._end(connection, now_us)

    def _leave(self, place: Place) -> None:
        """Take in what has come over a socket that is about to be closed."""
        now_us = _now_us()
        if isinstance(place, Door):
            self._accept_waiting(place, now_us, time.monotonic())
            return
        until = time.monotonic() + _LEAVE_S
        while messages := place.read(now_us):
            self._give(place.listener, messages)
            if time.monotonic() > until:
                break
        place.count_dropped(now_us)

    def _accept_waiting(self, door: Door, now_us: int, now_s: float) -> None:
        """Take in those whose connection the kernel has made already: they may have sent and gone."""
        while not door.closed_until_s and self._accept(door, now_us, now_s):
            pass

    def _read_rest(self, connection: Connection, now_us: int) -> None:
        """What has come over a connection that is to be closed."""
        before, until = -1, time.monotonic() + _LEAVE_S
        while not connection.ended and not connection.handshaking and connection.counts.bytes != before:
            if time.monotonic() > until:
                return
            before = connection.counts.bytes
            self._read_from(connection, now_us, time.monotonic())

    def _run(self) -> None:
        try:
            next_tick = time.monotonic() + TICK_S
            while not self._stopping:
                self._do_asked()
                self._turn(max(next_tick - time.monotonic(), 0.0))
                if time.monotonic() >= next_tick:
                    self._look_after(time.monotonic(), _now_us())
                    next_tick = time.monotonic() + TICK_S
            self._drain()
        except Exception as error:
            self.failure = error

    def _turn(self, wait_s: float) -> bool:
        """Read everything that is ready once; whether anything was."""
        selector = self._busy if self._rested_since is None else self._resting
        ready = [key.data for key, _ in selector.select(wait_s)]
        shaken, since_s = 0, time.monotonic()
        for each in sorted(ready, key=_rank):
            now_us, now_s = _now_us(), time.monotonic()
            if now_s - since_s > _DATAGRAMS_EVERY_S:
                for reader in self._places.datagrams:
                    self._read_datagrams(reader, now_us)
                since_s = now_s
            if each is None:
                self._woken(now_s)
            elif isinstance(each, Datagrams):
                self._read_datagrams(each, now_us)
            elif self._rested_since is not None:
                break  # what is left is ready next time
            elif isinstance(each, Door):
                self._accept(each, now_us, now_s)
            elif not each.handshaking:
                self._read(each, now_us, now_s)
            elif shaken < _SHAKEN:
                shaken += 1
                self._shake(each, now_us, now_s)
        return any(each is not None for each in ready)

    def _give(self, listener: Listener, messages: list[Message]) -> None:
        if messages and not self._deliver(listener, messages) and self._rested_since is None:
            self._rested_since = time.monotonic()

    def _woken(self, now_s: float) -> None:
        with suppress(BlockingIOError):
            while self._wake.recv(4096):
                pass
        if self._rested_since is not None:
            # It was not the senders who took their time.
            for connection in self._opened:
                connection.heard_s += now_s - self._rested_since
                if connection.begun_s is not None:
                    connection.begun_s += now_s - self._rested_since
            self._rested_since = None

    def _do_asked(self) -> None:
        """What other threads want done here."""
        while self._asked:
            work, done = self._asked.popleft()
            try:
                work()
            except Exception as error:
                done.set_exception(error)
            else:
                done.set_result(None)

    def _read_datagrams(self, reader: Datagrams, now_us: int) -> None:
        if self._rested_since is not None and not reader.listener.local:
            return
        messages = reader.read(now_us)
        if self._rested_since is not None:
            reader.counts.add("queue", len(messages), now_us)
        else:
            self._give(reader.listener, messages)

    def _accept(self, door: Door, now_us: int, now_s: float) -> int:
        """Take in connections, as many as a turn allows; how many."""
        count = 0
        for connection in door.accept(self._opened, now_us, now_s, TICK_S):
            self._busy.register(connection.socket, _READ, connection)
            count += 1
        if door.closed_until_s:
            self._busy.unregister(door.socket)
        return count

    def _shake(self, connection: Connection, now_us: int, now_s: float) -> None:
        wanted = connection.wants_write
        connection.shake(now_us)
        if connection.ended:
            self._end(connection, now_us)
            return
        if not connection.handshaking:
            connection.heard_s = now_s
        self._wait_for_write(connection, before=wanted)

    def _read_from(self, connection: Connection, now_us: int, now_s: float) -> None:
        kept = connection.kept_bytes
        room = self.limits.unfinished_bytes - self._unfinished + kept
        messages = connection.read(self._buffer, room, now_us, now_s)
        self._unfinished += connection.kept_bytes - kept
        self._give(connection.listener, messages)

    def _read(self, connection: Connection, now_us: int, now_s: float) -> None:
        wanted = connection.wants_write
        self._read_from(connection, now_us, now_s)
        if connection.ended:
            self._end(connection, now_us)
        else:
            self._wait_for_write(connection, before=wanted)

    def _wait_for_write(self, connection: Connection, *, before: bool) -> None:
        if connection.wants_write != before:
            events = _READ | _WRITE if connection.wants_write else _READ
            self._busy.modify(connection.socket, events, connection)

    def _end(self, connection: Connection, now_us: int) -> None:
        self._unfinished -= connection.kept_bytes
        self._give(connection.listener, connection.finish(now_us))
        self._opened.remove(connection)
        self._busy.unregister(connection.socket)
        connection.socket.close()

    def _look_after(self, now_s: float, now_us: int) -> None:
        """Once a second: what the kernel dropped, connections that take too long, doors to open again."""
        for reader in self._places.datagrams:
            reader.count_dropped(now_us)
        if self._rested_since is None:
            for connection in self._opened:
                if self._overdue(connection, now_s):
                    self._close_overdue(connection, now_s, now_us)
        for door in self._places.doors:
            if door.closed_until_s and now_s >= door.closed_until_s:
                door.closed_until_s = 0.0
                self._busy.register(door.socket, _READ, door)
        self._tick()

    def _close_overdue(self, connection: Connection, now_s: float, now_us: int) -> None:
        # What has come and was not read is not the sender's delay.
        if connection.handshaking:
            self._shake(connection, now_us, now_s)
        else:
            self._read(connection, now_us, now_s)
        if not connection.ended and (kind := self._overdue(connection, now_s)):
            connection.refuse(kind, now_us)
            self._end(connection, now_us)

    def _overdue(self, connection: Connection, now_s: float) -> str | None:
        if connection.handshaking:
            return "handshake" if now_s - connection.heard_s > self.limits.handshake_s else None
        if connection.begun_s is not None and now_s - connection.begun_s > self.limits.message_s:
            return "slow"
        return "idle" if now_s - connection.heard_s > self.limits.idle_s else None

    def _drain(self) -> None:
        until = time.monotonic() + _DRAIN_S
        for door in self._places.doors:
            self._accept_waiting(door, _now_us(), time.monotonic())
            if not door.closed_until_s:
                self._busy.unregister(door.socket)
            # Who comes now is refused, and knows it.
            shut(door)
        while (left_s := until - time.monotonic()) > 0:
            begun, resting = time.monotonic(), self._rested_since is not None
            if resting and self._closing:
                break
            if not self._turn(min(TICK_S if resting else _QUIET_S, left_s)) and not resting:
                break
            if resting:
                # It is not the senders who take their time, but whoever stores.
                until += time.monotonic() - begun
        now_us = _now_us()
        for connection in self._opened:
            self._end(connection, now_us)
        for reader in self._places.datagrams:
            reader.count_dropped(now_us)
        self._tick()

    def _let_go(self) -> None:
        self._places.close()
        for connection in self._opened:
            connection.socket.close()
        for closing in (self._busy, self._resting, self._wake, self._waker):
            closing.close()


def _rank(ready: object) -> int:
    """Datagrams first: nobody sends them again."""
    return 0 if ready is None else 1 if isinstance(ready, Datagrams) else 2


def _now_us() -> int:
    return time.time_ns() // 1000


def _allow_files(wanted: int) -> None:
    """Let this process have so many descriptors open, as far as it may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, most), hard))
