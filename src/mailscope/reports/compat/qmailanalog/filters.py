"""The stages and reports by name: what takes lines of ``matchup`` (or of a stage) and needs no argument.

In: a binary stream.  Out: pieces of output, whole lines each.  ``matchup`` itself, which keeps a state,
and the selections, which take an argument, stand in modules of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from mailscope.reports.compat.qmailanalog import headings, ordering
from mailscope.reports.compat.qmailanalog.columnt import columnt
from mailscope.reports.compat.qmailanalog.ddist import ddist
from mailscope.reports.compat.qmailanalog.overall import overall
from mailscope.reports.compat.qmailanalog.reasons import deferrals, failures, successes
from mailscope.reports.compat.qmailanalog.recipients import recipients, rhosts, rxdelay
from mailscope.reports.compat.qmailanalog.records import Readable, records
from mailscope.reports.compat.qmailanalog.senders import senders, suids
from mailscope.reports.compat.qmailanalog.sendmail import zsendmail

Stage = Callable[[Readable], Iterator[bytes]]
Order = Callable[[bytes], Any]

_BY_TEXT_FROM_2: Final = partial(ordering.by_text_from, 2)
_BY_TEXT_FROM_4: Final = partial(ordering.by_text_from, 4)
_BY_VALUE_FROM_7: Final = partial(ordering.by_value_from, 7)


@dataclass(frozen=True)
class Filter:
    """One command: its name, what it does, and how."""

    name: str
    meaning: str
    run: Stage


@dataclass(frozen=True)
class _Report:
    """A heading, a head of the table, and a stage's rows in an order (None: as they come)."""

    heading: str
    head: bytes
    stage: Stage
    order: Order | None = None
    spaces_for_underscores: bool = False

    def __call__(self, stream: Readable) -> Iterator[bytes]:
        yield self.heading.encode("ascii") + b"\n"
        rows = self.stage(stream)
        table = columnt([self.head, *(sorted(rows, key=self.order) if self.order else rows)])
        yield table.replace(b"_", b" ") if self.spaces_for_underscores else table


def _lines(stage: Stage) -> Stage:
    """A stage whose lines get their line breaks."""

    def run(stream: Readable) -> Iterator[bytes]:
        for line in stage(stream):
            yield line + b"\n"

    return run


def _zoverall(stream: Readable) -> Iterator[bytes]:
    yield headings.ZOVERALL.encode("ascii") + b"\n"
    yield from _lines(overall)(stream)


def _columnt(stream: Readable) -> Iterator[bytes]:
    yield columnt(records(stream))


def _best_first(stream: Readable) -> Iterator[bytes]:
    return rxdelay(_Lines(recipients(stream)))


class _Lines:
    """Lines of one stage as the input of the next."""

    def __init__(self, lines: Iterator[bytes]) -> None:
        self._rest = b"".join(line + b"\n" for line in lines)

    def read1(self, size: int = -1, /) -> bytes:
        block, self._rest = self._rest, b""
        return block


_REASON: Final = b"del xdelay reason"
_SENT: Final = b"mess bytes sbytes rbytes recips tries xdelay "
_RECEIVED: Final = b"sbytes mess tries xdelay "

FILTERS: Final = (
    Filter("zoverall", "Totals of all messages and deliveries.", _zoverall),
    Filter(
        "zddist",
        "Within how many seconds which part of the successes was delivered.",
        _Report(headings.ZDDIST, b"doneby avg pct", ddist),
    ),
    Filter(
        "zdeferrals",
        "Reasons for deferral.",
        _Report(headings.ZDEFERRALS, _REASON, deferrals, _BY_TEXT_FROM_2, spaces_for_underscores=True),
    ),
    Filter(
        "zfailures",
        "Reasons for failure.",
        _Report(headings.ZFAILURES, _REASON, failures, _BY_TEXT_FROM_2, spaces_for_underscores=True),
    ),
    Filter(
        "zsuccesses",
        "Reasons for success.",
        _Report(headings.ZSUCCESSES, _REASON, successes, _BY_TEXT_FROM_2, spaces_for_underscores=True),
    ),
    Filter(
        "zrecipients",
        "What each recipient was sent.",
        _Report(headings.ZRECIPIENTS, _RECEIVED + b"recipient", recipients, _BY_TEXT_FROM_4),
    ),
    Filter(
        "zrhosts",
        "What each recipient host was sent.",
        _Report(headings.ZRHOSTS, _RECEIVED + b"host", rhosts, _BY_TEXT_FROM_4),
    ),
    Filter(
        "zrxdelay",
        "Recipients by average time of a delivery, the quickest first.",
        _Report(headings.ZRXDELAY, b"avg tries recipient", _best_first),
    ),
    Filter(
        "zsenders",
        "What each sender sent.",
        _Report(headings.ZSENDERS, _SENT + b"sender", senders, _BY_VALUE_FROM_7),
    ),
    Filter(
        "zsuids",
        "What each user id sent.",
        _Report(headings.ZSUIDS, _SENT + b"uid", suids, _BY_VALUE_FROM_7),
    ),
    Filter("zsendmail", "Messages and deliveries in the manner of sendmail's log.", _lines(zsendmail)),
    Filter("columnt", "Align the columns of a table.", _columnt),
    Filter("ddist", "The rows of zddist.", _lines(ddist)),
    Filter("deferrals", "The rows of zdeferrals, unsorted.", _lines(deferrals)),
    Filter("failures", "The rows of zfailures, unsorted.", _lines(failures)),
    Filter("successes", "The rows of zsuccesses, unsorted.", _lines(successes)),
    Filter("recipients", "The rows of zrecipients, unsorted.", _lines(recipients)),
    Filter("rhosts", "The rows of zrhosts, unsorted.", _lines(rhosts)),
    Filter("rxdelay", "The rows of zrxdelay, of lines of recipients.", _lines(rxdelay)),
    Filter("senders", "The rows of zsenders, unsorted.", _lines(senders)),
    Filter("suids", "The rows of zsuids, unsorted.", _lines(suids)),
)
