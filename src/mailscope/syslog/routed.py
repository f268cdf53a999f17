"""A syslog daemon of a configuration: what the receiver takes goes where the rules say.

In: messages, as the receiver gives them.  Out: lines at the sinks of the rules that take them, a batch at a
time.  SIGHUP: the configuration is read again and everything opened anew; a configuration that cannot be
read leaves all as it was.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Final

from mailscope.intake.discovery.selectors import MARK
from mailscope.syslog.conf.routing import takes
from mailscope.syslog.conf.rules import Action, Configuration
from mailscope.syslog.receiver.listener import Listener
from mailscope.syslog.receiver.message import Message
from mailscope.syslog.receiver.relayed import line
from mailscope.syslog.record import Record, parsed
from mailscope.syslog.sinks import Say, Sink, sink

_INFO: Final = 6


class Routed:
    """The sinks of a configuration."""

    def __init__(self, configuration: Configuration, host: str, say: Say) -> None:
        self._host, self._say = host.encode(), say
        self._lock = threading.Lock()
        self._sinks: dict[Action, Sink] = {}
        self.messages = 0
        self._use(configuration)

    def _use(self, configuration: Configuration) -> None:
        self._rules = configuration.rules
        for rule in self._rules:
            if rule.action not in self._sinks and (made := sink(rule.action, self._say)):
                self._sinks[rule.action] = made

    def deliver(self, listener: Listener, messages: list[Message]) -> bool:
        """Take messages of the receiver; there is always room."""
        host, names_host = self._host, listener.tells_host
        lines = (line(message, host, names_host=names_host) for message in messages)
        self.take([record for each in lines if (record := parsed(each))])
        return True

    def take(self, records: Sequence[Record]) -> None:
        """Write messages where the rules say."""
        with self._lock:
            left = list(records)
            for rule in self._rules:
                taken = [record for record in left if takes(rule, record)]
                if not taken:
                    continue
                if rule.action.kind == "discard":
                    gone = {id(record) for record in taken}
                    left = [record for record in left if id(record) not in gone]
                elif (to := self._sinks.get(rule.action)) is not None:
                    to.write(taken)
            self.messages += len(records)

    def mark(self) -> None:
        """Write that time has passed, where the rules want to know."""
        at = datetime.now(UTC)
        self.take([Record(MARK, _INFO, at, self._host, b"", b"", b"-- MARK --")])

    def reload(self, configuration: Configuration) -> None:
        """Go on with another configuration, with everything opened anew."""
        with self._lock:
            wanted = {rule.action for rule in configuration.rules}
            for action in [action for action in self._sinks if action not in wanted]:
                self._sinks.pop(action).close()
            for each in self._sinks.values():
                each.reopen()
            self._use(configuration)

    def close(self) -> None:
        """Write what is left and let go."""
        with self._lock:
            for each in self._sinks.values():
                each.close()
            self._sinks.clear()


def marking(every_s: float, mark: Callable[[], None]) -> Callable[[], None]:
    """What the receiver calls every second, to have a mark made so often; 0 for never."""
    due = time.monotonic() + every_s

    def tick() -> None:
        nonlocal due
        if every_s and time.monotonic() >= due:
            due += every_s
            mark()

    return tick
