"""The balance sheet and the headline figures as people read them: names, figures, and which are alarming.

In: the report as plain data (``report.py``) and a language.  Out: blocks of figures, the same in every form.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from mailscope.language.translator import Translator
from mailscope.reports import figures


@dataclass(frozen=True, slots=True)
class Figure:
    """A number with its name.

    ``level``: 0 for a whole, 1 for a part of it, 2 for a part of a part.  ``style``: head, bad or nothing.
    """

    name: str
    value: int
    level: int = 0
    style: str = ""
    unit: str = "count"

    @property
    def shown(self) -> str:
        """The number as people read it."""
        return figures.shown(self.value, self.unit)


Block = list[Figure | None]


def balance(report: dict[str, Any], tr: Translator) -> list[Block]:
    """Lines and attempts, messages, recipients; None is a gap within a block."""
    line, message, recipient = report["lines"], report["messages"], report["recipients"]
    attempt = report["attempts"]
    lines: Block = [
        Figure(tr("Lines read"), line["read"], style="head"),
        *(Figure(tr(name), line[name], 1, _alarm(name, line[name])) for name in list(line)[1:]),
        None,
        Figure(tr("Attempts"), attempt["total"], style="head"),
        *(Figure(tr(name), attempt[name], 1) for name in ("sent", "deferred", "bounced")),
        Figure(tr("Rejected"), report["rejected"]["total"], style="head"),
    ]
    messages: Block = [
        Figure(tr("Messages accepted"), message["accepted"], style="head"),
        Figure(tr("finished"), message["finished"], 1),
        Figure(tr("open"), message["open"], 1),
        Figure(tr("on hold"), message["held"], 2),
        Figure(tr("from outside"), message["received"], 1),
        Figure(tr("made here"), message["internal"], 1),
        Figure(tr("Requeued"), message["requeued"]),
        Figure(tr("Second passes"), message["second_passes"]),
        Figure(tr("Refused late"), message["refused"]),
        Figure(tr("Incomplete"), message["incomplete"]),
        Figure(tr("Before the log"), message["before_log"]),
    ]
    recipients: Block = [
        Figure(tr("Recipients"), recipient["total"], style="head"),
        *_fates(recipient, tr),
        Figure(tr("Bytes received"), message["received_bytes"], unit="bytes"),
    ]
    return [lines, messages, recipients]


def headline(report: dict[str, Any], tr: Translator) -> list[Figure]:
    """The few numbers that say what kind of a day it was."""
    message, attempt = report["messages"], report["attempts"]
    return [
        Figure(tr("Received"), message["received"]),
        Figure(tr("Delivered"), attempt["sent"], style="good"),
        Figure(tr("Deferred"), attempt["deferred"], style="warn"),
        Figure(tr("Bounced"), attempt["bounced"] + attempt["expired"], style="bad"),
        Figure(tr("Rejected"), report["rejected"]["total"], style="refused"),
        Figure(tr("In the queue"), message["open"]),
        Figure(tr("Bytes received"), message["received_bytes"], unit="bytes"),
    ]


def wrong(report: dict[str, Any], tr: Translator) -> list[str]:
    """The sums that do not add up, a sentence each; none where all is well."""
    return [
        tr(
            "{name}: {remainder} not accounted for",
            name=tr(equation["name"]),
            remainder=f"{equation['remainder']:+,}",
        )
        for equation in report["balance"]
        if equation["remainder"]
    ]


def _fates(recipient: dict[str, int], tr: Translator) -> Iterator[Figure]:
    for name, value in recipient.items():
        if name not in ("total", "deferred"):
            yield Figure(tr(name), value, 1, _alarm(name, value))
        if name == "queued":
            yield Figure(tr("put off"), recipient["deferred"], 2)


def _alarm(name: str, value: int) -> str:
    return "bad" if name in ("unrecognised", "unknown") and value else ""
