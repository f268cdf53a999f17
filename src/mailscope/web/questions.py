"""What the commands tell with ``--format json``, told of the daemon's store by the same calls.

Tallies answer for reports and logins, so no line is read for them; lines are fetched into files without
names, as commands fetch them through the socket, and no more than a bounded number.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from mailscope.intake.sources import Sources, utc_now
from mailscope.language.phrase import Phrase
from mailscope.sequence.selection import Selection
from mailscope.store.asking import Asked
from mailscope.store.reader import Reader
from mailscope.store.spool import Spool
from mailscope.tallies.ledger import Ledger
from mailscope.vocabulary.errors import UsageError
from mailscope.web.people import theirs
from mailscope.web.people.masking import Masking

if TYPE_CHECKING:
    from mailscope.trails.narrative.build import Told

# Lines that one answer may be made of.
MOST_LINES: Final = 1_000_000
# Stories that are looked through for those of some domains.
MOST_STORIES: Final = 1_000


@dataclass(frozen=True)
class Span:
    """Of when and of which hosts (naive UTC; None: open; no host: all)."""

    since: datetime | None = None
    until: datetime | None = None
    hosts: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.since and self.until and self.since >= self.until:
            raise UsageError("it is not before until", "since", "give a span that is not empty")

    @property
    def selection(self) -> Selection:
        """The same, for the flow."""
        return Selection(self.since, self.until, self.hosts)


def ledger(reader: Reader, lock: AbstractContextManager[Any], span: Span) -> Ledger:
    """The tallies of whole hours.  Raises UsageError for parts of hours, of which there are none."""
    from mailscope.tallies.kept import from_bytes

    for name, edge in (("since", span.since), ("until", span.until)):
        if edge is not None and edge != edge.replace(minute=0, second=0, microsecond=0):
            raise UsageError("tallies are kept by the hour", name, "give a whole hour of UTC")
    with lock:
        copied = reader.hours(span.since, span.until)
    return from_bytes(copied.packed(), reader.zone)


def report(
    reader: Reader,
    lock: AbstractContextManager[Any],
    span: Span,
    top: int,
    sections: Sequence[str],
    language: str,
) -> bytes:
    """The report; ``sections``: only these (none: those of the mail report)."""
    from mailscope.reports.report import build, check, choice

    check(sections)
    return _written(
        choice(build(ledger(reader, lock, span), _settings(reader, span, top)), sections, ()), language
    )


def logins(
    reader: Reader,
    lock: AbstractContextManager[Any],
    span: Span,
    top: int,
    sections: Sequence[str],
    language: str,
) -> bytes:
    """Who logged in to what, from where; who failed."""
    from mailscope.reports.logins import page
    from mailscope.reports.report import build, check

    check(sections)
    counted = ledger(reader, lock, span)
    return _written(page(build(counted, _settings(reader, span, top)), counted, sections, ()), language)


def trace(
    reader: Reader, span: Span, text: str, kind: str | None, limit: int, masking: Masking | None = None
) -> tuple[list[Any], int]:
    """The trails of what is asked for, and how many more match; ``masking``: of whom sees some only."""
    from mailscope.trails.narrative.record import record

    if masking is None:
        told = stories(reader, span, text, kind, limit)
        return [record(trail) for story in told.stories for trail in story.trails], told.more
    # The messages of others are among what matches: how many is not told.
    told = stories(reader, span, text, kind, MOST_STORIES)
    if told.more:
        raise UsageError(
            Phrase("too many messages match"), text[:80], Phrase("ask for a shorter time, or a whole address")
        )
    found = theirs.stories(told.stories, masking)
    records = [record(trail) for story in found[:limit] for trail in story.trails]
    return records, len(found[limit:])


def stories(reader: Reader, span: Span, text: str, kind: str | None, limit: int) -> Told:
    """The stories of what is asked for."""
    from mailscope.trails.narrative.whole import tell_whole
    from mailscope.trails.search.query import read_query
    from mailscope.trails.search.run import search
    from mailscope.trails.search.wants import Found
    from mailscope.trails.search.window import Window

    asked = read_query(text, kind)
    window = Window(span.since, span.until, span.hosts, reader.zone, utc_now())
    with _lines(reader, span, asked.text, asked.kinds, limit) as sources:

        def again(follow: int) -> Found:
            return search(asked, sources.files, follow, window, numbered=True)

        return tell_whole(asked, again(limit), again, sources, reader.library, span.selection, limit)[1]


def about(
    reader: Reader, span: Span, text: str, kind: str | None, top: int, masking: Masking | None = None
) -> dict[str, Any]:
    """Everything about an address, a network, a user or a domain; ``masking``: of whom sees some only."""
    from mailscope.about.found import collected
    from mailscope.about.gather import MOST_MESSAGES
    from mailscope.about.picture import picture
    from mailscope.about.subject import read_subject
    from mailscope.trails.search.window import Window

    if masking is not None:
        theirs.subject(text, masking)
    asked = read_subject(text, kind)
    window = Window(span.since, span.until, span.hosts, reader.zone, utc_now())
    subject, kinds = (asked.text, (asked.kind,)) if asked.network is None else (None, ())
    with _lines(reader, span, subject, kinds, MOST_MESSAGES) as sources:
        told = picture(collected(asked, sources, reader.library, span.selection, window), top)
    found = told | {"places": {}, "dns_name": None}
    return found if masking is None else theirs.about(found, masking)


def coverage(reader: Reader, span: Span, top: int) -> dict[str, Any]:
    """Which lines are recognised, and the shapes of the others."""
    from mailscope.pipeline import Pipeline, restarting
    from mailscope.recognise.coverage import Coverage
    from mailscope.reports.coverage import summary

    def count(pipeline: Pipeline) -> Coverage:
        found = Coverage()
        for batch in pipeline.batches():
            for events in batch:
                found.add(events)
        return found

    with _lines(reader, span, None, (), 1) as sources:
        return summary(restarting(Pipeline(sources, reader.library, {}, span.selection), count), top)


@contextmanager
def _lines(
    reader: Reader, span: Span, about: str | None, kinds: tuple[str, ...], limit: int
) -> Iterator[Sources]:
    """The lines that are asked for.  Raises UsageError where they are too many."""
    spool = Spool()
    try:
        spool.put(_bounded(reader.lines(Asked(span.since, span.until, span.hosts, about, kinds, limit))))
        yield Sources(spool.sources(), reader.zone, utc_now())
    finally:
        spool.close()


def _bounded(answers: Iterator[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    count = 0
    for rows in answers:
        count += len(rows)
        if count > MOST_LINES:
            raise UsageError(
                Phrase("more than {most} lines are of that", most=MOST_LINES),
                "since",
                Phrase("ask for a shorter span, or by the command"),
            )
        yield rows


def _settings(reader: Reader, span: Span, top: int) -> Any:
    from mailscope.reports.report import Settings

    words = [f"--tz={reader.zone}"]
    for name, instant in (("since", span.since), ("until", span.until)):
        words += [f"--{name}={instant.isoformat()}Z"] if instant is not None else []
    return Settings(reader.zone, top, [f"store {reader.database.directory}"], shlex.join(words))


def _written(found: dict[str, Any], language: str) -> bytes:
    from mailscope.language.translator import translator
    from mailscope.reports.forms.json import text

    return text(found, translator(language))
