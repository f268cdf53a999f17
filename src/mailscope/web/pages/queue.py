"""What waits: all queues of the host's spool, their shape, ages and causes, and what may be done about it.

Where no spool can be read (another host's logs, no permission), what the log tells of it is shown instead.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from mailscope.language.phrase import Phrase
from mailscope.reports import figures
from mailscope.vocabulary.errors import MailscopeError
from mailscope.vocabulary.shown import safe
from mailscope.web.pages import queue_logged, queue_spool
from mailscope.web.pages.grid import Grid
from mailscope.web.pages.page import Context, Page
from mailscope.web.pages.tile import Tile
from mailscope.web.pages.visit import Visit

SHOWN_TROUBLES: Final = 5


@dataclass(frozen=True)
class Queue(Context):
    """``place``: of the spool, "" where the log tells; ``why``: why it is not read; ``actions``: what may be
    done, with words.
    """

    place: str
    why: str
    tiles: Sequence[Tile]
    tables: Sequence[Grid]
    messages: Grid | None
    filters: Sequence[tuple[str, str, str]]
    actions: Sequence[tuple[str, str]]
    troubles: Sequence[str]


def show(visit: Visit) -> Queue:
    """What the page shows."""
    try:
        selection, queues = queue_spool.asked(visit.query)
        queue = queue_spool.opened(visit, None if selection.everything else selection, queues)
        if not queue.entries and queue.troubles:
            # As where the spool's directories may not be read.
            return _logged(visit, queue.troubles[0])
    except MailscopeError as error:
        if any(visit.asked(name) for name in queue_spool.FILTERS):
            raise
        return _logged(visit, str(error))
    visit.audit("queue", " ".join(f"{name}={value}" for name, value in visit.query.items()) or "everything")
    tr = visit.tr
    counts = Counter(entry.queue for entry in queue.entries)
    ages = [queue.spool.now - entry.arrival_time for entry in queue.entries if entry.arrival_time is not None]
    tiles = [
        Tile(tr("messages waiting"), figures.count(len(queue.entries)), tr("and more") if queue.cut else ""),
        Tile(tr("the oldest"), figures.seconds(max(ages, default=None))),
        Tile(tr("in all"), figures.size(sum(entry.size_bytes for entry in queue.entries))),
        *(
            Tile(name, figures.count(count), "", visit.here(queue=name))
            for name, count in counts.most_common()
        ),
    ]
    return Queue(
        str(queue.spool.place),
        "",
        tiles,
        [queue_spool.shape(visit, queue), queue_spool.causes(visit, queue)],
        queue_spool.messages(visit, queue),
        [(name, tr(words), visit.asked(name)) for name, words in queue_spool.FILTERS.items()],
        [(name, tr(words)) for name, words in queue_spool.WORDS.items()]
        if visit.viewer.may("queues")
        else [],
        [safe(each) for each in [*queue.notes, *queue.troubles][:SHOWN_TROUBLES]],
    )


def _logged(visit: Visit, why: str) -> Queue:
    tiles, tables = queue_logged.tables(visit)
    return Queue("", safe(why), tiles, tables, None, (), (), ())


PAGE: Final = Page("queue", "/queue", Phrase("Queue"), "queue.html", show, "look", usual="")
