"""What the store's tables tell of one thing by its newest lines, as ``questions.about`` does by all lines.

In: whom, a span.  Out: the same plain data, with ``since``: the instant from which on it is all there is
(None: the whole span).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

import polars as pl

from mailscope.about.collect import Collector, stamp
from mailscope.about.picture import picture
from mailscope.about.subject import read_subject
from mailscope.store.database import Queries
from mailscope.store.reader import Reader
from mailscope.store.remembering import Remembered
from mailscope.trails.recipients import settled
from mailscope.vocabulary.tables import DELIVERIES, MESSAGES
from mailscope.web.newest import newest
from mailscope.web.people import theirs
from mailscope.web.people.masking import Masking

# Messages that were taken in longer before the lines are left out, and attempts longer after them.
AROUND: Final = timedelta(days=1)
TOLD: Final = (
    "trail_id as trail, host, queue_id, first_time, last_time, sender, size_bytes, ended, expired, refused, "
    "recipient_count"
)
# A recipient once served stays served, whatever a late line says (``trails/recipients.py``).
ATTEMPTS: Final = (
    "trail_id as trail, any_value(recipient) as recipient, max(time) as time, "
    "count(*)::uinteger as attempts, "
    "case when bool_or(status = 'sent') then 'sent' else arg_max(status, time) end as status"
)
GROUPED: Final = "group by trail_id, lower(recipient) order by min(time), min(batch), any_value(recipient)"


def about(
    reader: Reader,
    since: datetime,
    until: datetime,
    text: str,
    kind: str | None,
    top: int,
    masking: Masking | None = None,
    remembered: Remembered | None = None,
) -> dict[str, Any]:
    """The picture; ``masking``: of whom sees some domains only; ``remembered``: answers of sealed files."""
    if masking is not None:
        theirs.subject(text, masking)
    subject = read_subject(text, kind)
    collector = Collector(subject, reader.zone)
    with reader.database.snapshot(views=False) as looking:
        of_sealed = None if remembered is None else partial(remembered.frame, reader.under_way, looking)
        found = newest(looking, subject, since, until, of_sealed)
        if len(found.rows):
            collector.count(found.rows.with_columns(pl.coalesce("user", "sasl_user").alias("user")))
            collector.add("ends", found.ends)
            _messages(looking, collector, found.rows)
    told = picture(collector, top) | {"places": {}, "dns_name": None}
    told = told if masking is None else theirs.about(told, masking)
    return told | {"since": stamp(found.since, reader.zone)}


def _messages(looking: Queries, collector: Collector, rows: pl.DataFrame) -> None:
    """The messages that the lines belong to, and what became of their recipients."""
    trails = rows["trail_id"].drop_nulls().unique()
    if not len(trails):
        return
    begin, end = rows["time"][0] - AROUND, rows["time"][-1] + AROUND
    asked, mine = [trails.to_list()], "trail_id in (select unnest(?::varchar[]))"
    taken, tried = (
        looking.relation(table, "last >= ? and first < ?", (begin, end)) for table in (MESSAGES, DELIVERIES)
    )
    messages = looking.frame(f"select {TOLD} from ({taken}) where {mine}", asked)
    attempts = looking.frame(f"select {ATTEMPTS} from ({tried}) where {mine} {GROUPED}", asked)
    messages = messages.unique("trail")
    collector.add_messages(messages, settled(attempts, messages))
