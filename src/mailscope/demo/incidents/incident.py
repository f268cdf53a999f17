"""One injected incident, and its label."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from mailscope.demo.files import MAIL
from mailscope.demo.plan import SECOND

if TYPE_CHECKING:
    from mailscope.demo.host import Host


def iso(time: int) -> str:
    """Write an instant."""
    return f"{datetime.fromtimestamp(time / SECOND, UTC):%Y-%m-%dT%H:%M:%S.%fZ}"


@dataclass
class Incident:
    """An incident that is to begin at `start`.

    `knowable` is the instant from which a careful reader of the log can be sure, without knowing what comes:
    each kind says with which piece of evidence that is, whatever any detection needs.
    """

    kind: str
    variant: str
    host: Host
    start: int
    end: int = 0
    knowable: int = 0
    subject: dict[str, Any] = field(default_factory=dict)
    line: dict[str, Any] = field(default_factory=dict)

    def at(self, after: int, action: Callable[[], object]) -> None:
        """Do something so long after the start."""
        self.host.world.at(self.start + after, action)

    def known(self, time: int, name: str = MAIL) -> None:
        """Say that it can be known from an instant on; the first time counts."""
        if not self.knowable:
            self.knowable = time
            self.host.world.files.mark(time, name, self._remember(name))

    def _remember(self, name: str) -> Callable[[int, str], None]:
        def told(number: int, text: str) -> None:
            self.line.update(file=name, number=number, text=text[:200])

        return told

    def evidence(self, enough: int, name: str = MAIL) -> Callable[[int], None]:
        """Count pieces of evidence; with so many it can be known."""
        times: list[int] = []

        def count(time: int) -> None:
            times.append(time)
            if len(times) == enough:
                self.known(time, name)

        return count

    def lasts(self, duration: int) -> int:
        """Set the end; returns the duration."""
        self.end = self.start + duration
        return duration

    def as_dict(self) -> dict[str, Any]:
        """Give the label."""
        return {
            "kind": self.kind,
            "variant": self.variant,
            "start": iso(self.start),
            "knowable": iso(self.knowable) if self.knowable else None,
            "end": iso(self.end),
            "subject": self.subject,
            "line": self.line,
        }
