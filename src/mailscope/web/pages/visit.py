"""One look at one page: who looks, at which span, in which language; and what is asked of the store."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from mailscope.language.phrase import Phrase
from mailscope.language.translator import Translator
from mailscope.store import findings
from mailscope.store.counting import Counting
from mailscope.store.remembering import Remembered
from mailscope.tallies.ledger import Ledger
from mailscope.vocabulary.errors import UsageError
from mailscope.web.pages.rows import Rows, Where
from mailscope.web.pages.span import PARAMETERS, USUAL, Span, weekly
from mailscope.web.people.viewer import Viewer
from mailscope.web.served import Served

if TYPE_CHECKING:
    from mailscope.store.reader import Reader
    from mailscope.vocabulary.settings.settings import Settings

MOST_ROWS: Final = 10_000
MOST_SHOWN: Final = 500


@dataclass(frozen=True)
class Site:
    """What stays from look to look: the running store, its settings, what was found in sealed files."""

    service: Served
    settings: Callable[[], Settings]
    remembered: Remembered = field(default_factory=Remembered)

    @cached_property
    def counting(self) -> Counting:
        """Ledgers of some tallies."""
        return Counting(self.remembered)


@dataclass(frozen=True)
class Visit:
    """``query``: the parameters of the URL; ``export``: the table that is given out as a file, if any."""

    site: Site
    viewer: Viewer
    tr: Translator
    zone: ZoneInfo
    span: Span
    now: datetime
    path: str
    query: Mapping[str, str]
    export: str = ""
    csrf: str = ""

    @property
    def reader(self) -> Reader:
        """Answers from the store."""
        return self.site.service.reader()

    @property
    def rows(self) -> Rows:
        """Rows of the store's tables."""
        return Rows(self.reader, self.site.remembered)

    def ledger(self, *names: str, span: Span | None = None) -> Ledger:
        """The tallies of these names, of the page's span or of another."""
        of = span or self.span
        service = self.site.service
        return self.site.counting.ledger(self.reader, service.lock, names, of.since, of.until)

    def found(self, statement: str) -> list[dict[str, Any]]:
        """The rows of a statement about findings (``store/findings.py``)."""
        return findings.answer(self.reader, statement).to_dicts()

    def audit(self, what: str, asked: str) -> None:
        """Enter that the viewer looks at somebody's data, before it is shown."""
        self.site.service.audit(self.viewer.signature, what, asked)

    def masked(self, address: str) -> str:
        """An address as the viewer may see it."""
        return self.viewer.masked(address)

    def top(self, table: str, usual: int) -> int:
        """How many rows of a table are made: all that are exported or asked for, otherwise the usual."""
        if self.export == table:
            return MOST_ROWS
        return MOST_SHOWN if self.query.get("all") == table else usual

    def asked(self, name: str) -> str:
        """A parameter, without blanks around it; "" where it is not given."""
        return self.query.get(name, "").strip()

    def link(self, path: str, span: Span | None = None, **parameters: Any) -> str:
        """A page with parameters, of the same span (or another); those without a value are left out."""
        told = {name: str(value) for name, value in parameters.items() if value not in (None, "")}
        if span is not None:
            told |= {"from": _local(span.since), "to": _local(span.until)}
        elif any(self.query.get(name) for name in PARAMETERS):
            told |= {name: self.query[name] for name in PARAMETERS if self.query.get(name)}
        elif self.span.name and self.span.name != USUAL:
            # What is usual here need not be so there.
            told["range"] = self.span.name
        return f"{path}?{urlencode(told)}" if told else path

    def kept(self, path: str) -> str:
        """Another page, of the span that the URL names, if any."""
        told = {name: self.query[name] for name in PARAMETERS if self.query.get(name)}
        return f"{path}?{urlencode(told)}" if told else path

    def here(self, **changes: Any) -> str:
        """This page with other parameters; None or "" takes one away."""
        told = {name: value for name, value in self.query.items() if name not in ("table", "format")}
        told |= {name: str(value) for name, value in changes.items()}
        told = {name: value for name, value in told.items() if value not in ("", "None")}
        return f"{self.path}?{urlencode(told)}" if told else self.path

    def weekly(self, where: Where, column: str) -> None:
        """Where an hour of the week is asked for (as by a cell of the heat map): only rows of it."""
        weekday, clock = self.asked("weekday"), self.asked("clock")[:2]
        if not (weekday and clock):
            return
        if not (weekday in tuple("1234567") and clock.isascii() and clock.isdigit() and int(clock) < 24):
            raise UsageError(
                Phrase("it is no hour of the week"), "weekday", Phrase("follow a link of the page Trends")
            )
        spans = weekly(self.span, self.zone, int(weekday), int(clock))
        told = " or ".join(f"{column} >= ? and {column} < ?" for _ in spans)
        where.add(told or "false", *(edge for each in spans for edge in (each.since, each.until)))

    def told_time(self, instant: datetime) -> str:
        """An instant (naive UTC) in the viewer's zone."""
        return f"{self.local(instant):%Y-%m-%d %H:%M:%S}"

    def local(self, instant: datetime) -> datetime:
        """An instant (naive UTC) in the viewer's zone."""
        return instant.replace(tzinfo=UTC).astimezone(self.zone)

    def within(self, instant: datetime, by: timedelta) -> Span:
        """The whole hours around an instant."""
        from mailscope.web.pages.span import HOUR, whole

        return Span(whole(instant - by), whole(instant + by) + HOUR)


def _local(instant: datetime) -> str:
    return instant.isoformat(timespec="minutes") + "Z"
