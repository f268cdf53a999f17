"""The sockets that a receiver listens on, and how they become others while it runs.

Only the thread that reads them may change them.  A socket that is asked for as before stays as it is, with
whatever the kernel holds for it; whoever changes them is told of each that is to be closed, while it can
still be read.
"""

from __future__ import annotations

import os
import selectors
import socket
import ssl
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Final

from mailscope.syslog.receiver.counts import Counts
from mailscope.syslog.receiver.datagrams import Datagrams
from mailscope.syslog.receiver.doors import Door
from mailscope.syslog.receiver.listener import Listener
from mailscope.syslog.receiver.sockets import clear
from mailscope.vocabulary.errors import InputError

# What tells sockets apart, as they are asked for: transport, address or path, port.
Key = tuple[str, str, int]
Place = Door | Datagrams
_READ: Final = selectors.EVENT_READ


class Places:
    """Doors and sockets of datagrams.

    ``selectors``: of what is waited for, and of what is waited for while reading rests; ``leave``: reads what
    has come over a socket before it is closed.
    """

    def __init__(
        self,
        busy: selectors.BaseSelector,
        resting: selectors.BaseSelector,
        leave: Callable[[Place], None],
    ) -> None:
        self._busy, self._resting, self._leave = busy, resting, leave
        self._message_bytes = 0
        self._open: dict[Key, Place] = {}
        self._sort()

    def _sort(self) -> None:
        """What others look at, also from other threads."""
        places = list(self._open.values())
        self.doors = [place for place in places if isinstance(place, Door)]
        self.datagrams = [place for place in places if isinstance(place, Datagrams)]
        self.listeners = [place.listener for place in places]
        self.counts = {place.listener.name: place.counts for place in places}

    def change(self, listeners: Sequence[Listener], message_bytes: int) -> None:
        """Listen where these say.  Raises InputError or UsageError; then all is as it was."""
        wanted = {_key(each): each for each in listeners}
        contexts = {key: _context(each) for key, each in wanted.items()}
        new = [each for key, each in wanted.items() if key not in self._open]
        gone = {key: place for key, place in self._open.items() if key not in wanted}
        try:
            opened = _all_open(new)
        except InputError:
            if not gone:
                raise
            # One that is to be closed may be in its way.
            opened = self._opened_instead(new, gone)
        else:
            self._close(gone.values())
        self._message_bytes = message_bytes
        self._open = {
            key: self._placed(listener, opened[key], contexts[key])
            if key in opened
            else self._renewed(self._open[key], listener, contexts[key])
            for key, listener in wanted.items()
        }
        self._sort()

    def close(self) -> None:
        """Let go of all."""
        for place in self._open.values():
            shut(place)

    def _opened_instead(self, new: Sequence[Listener], gone: dict[Key, Place]) -> dict[Key, socket.socket]:
        """Open sockets once others are closed, which are opened again where that cannot be."""
        self._close(gone.values())
        try:
            return _all_open(new)
        except InputError:
            for key, place in gone.items():
                context = place.context if isinstance(place, Door) else None
                self._open[key] = self._placed(place.listener, place.listener.open(), context, place.counts)
            self._sort()
            raise

    def _close(self, places: Iterable[Place]) -> None:
        for place in places:
            self._leave(place)
            for selector in (self._busy, self._resting):
                if place.socket in selector.get_map():
                    selector.unregister(place.socket)
            shut(place)

    def _placed(
        self,
        wanted: Listener,
        opened: socket.socket,
        context: ssl.SSLContext | None,
        counts: Counts | None = None,
    ) -> Place:
        """Wait for what comes over a new socket."""
        listener = wanted if wanted.local else replace(wanted, port=opened.getsockname()[1])
        counts = counts or Counts()
        place: Place
        if listener.datagrams:
            place = Datagrams(listener, opened, counts, self._message_bytes)
        else:
            place = Door(listener, opened, counts, context)
        self._busy.register(opened, _READ, place)
        if listener.datagrams and listener.local:
            self._resting.register(opened, _READ, place)
        return place

    def _renewed(self, place: Place, wanted: Listener, context: ssl.SSLContext | None) -> Place:
        """Go on with a socket, as it is asked for now."""
        listener = wanted if wanted.local else replace(wanted, port=place.listener.port)
        if listener.local and listener.mode != place.listener.mode:
            # Where somebody has removed the file, those who are connected go on.
            with suppress(FileNotFoundError):
                os.chmod(listener.address, listener.mode)
        if isinstance(place, Door):
            place.listener, place.context = listener, context
            return place
        place.count_dropped(time.time_ns() // 1000)
        renewed = Datagrams(listener, place.socket, place.counts, self._message_bytes)
        for selector in (self._busy, self._resting):
            if place.socket in selector.get_map():
                selector.modify(place.socket, _READ, renewed)
        return renewed


def shut(place: Place) -> None:
    """Close a socket, and remove its file."""
    if place.socket.fileno() >= 0:
        kind = place.socket.type
        place.socket.close()
        if place.listener.local:
            clear(place.listener.address, kind)


def _key(listener: Listener) -> Key:
    return listener.transport, listener.address, listener.port


def _context(listener: Listener) -> ssl.SSLContext | None:
    return None if listener.certificates is None else listener.certificates.context()


def _all_open(listeners: Sequence[Listener]) -> dict[Key, socket.socket]:
    """All of some sockets, or none."""
    opened: dict[Key, socket.socket] = {}
    try:
        for each in listeners:
            opened[_key(each)] = each.open()
    except BaseException:
        for made in opened.values():
            shut_unbound(made)
        raise
    return opened


def shut_unbound(made: socket.socket) -> None:
    """Close a socket that nobody has come to yet, and remove its file."""
    path = made.getsockname() if made.family == socket.AF_UNIX else ""
    kind = made.type
    made.close()
    if path:
        clear(path, kind)
