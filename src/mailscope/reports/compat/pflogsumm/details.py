"""Sections that count reasons, and the detail of each message."""

from __future__ import annotations

import re
from collections.abc import Iterator

import polars as pl

from mailscope.reports.compat.pflogsumm import numbers, order
from mailscope.reports.compat.pflogsumm.picked import MASTER
from mailscope.reports.compat.pflogsumm.summary import Named, Summary
from mailscope.reports.compat.pflogsumm.tables import heading


def section(summary: Summary, title: str, limit: int) -> Iterator[str]:
    """One section: reasons below what they belong to, the most frequent first."""
    counts = summary.reasons(title)
    if not len(counts):
        if not summary.settings.has("quiet"):
            yield f"\n{title}: none\n"
        return
    yield heading(title)
    *above, _, _ = counts.columns
    step, indent = "  ", " " if title == MASTER else "  "
    last: list[str | None] = [None] * len(above)
    for *keys, total, number, row in _rows(counts, limit, current=summary.settings.current).iter_rows():
        if keys != last:
            first = next(depth for depth, key in enumerate(keys) if key != last[depth])
            for depth, key in enumerate(keys[first:-1], first):
                yield f"{indent}{step * depth}{key}\n"
            shown = _total(total, number, limit, current=summary.settings.current)
            yield f"{indent}{step * (len(above) - 1)}{keys[-1]}{shown}\n"
            last = keys
        yield f"{indent}{step * len(above)}{row}\n"


def _rows(counts: pl.DataFrame, limit: int, *, current: bool) -> pl.DataFrame:
    """Rows in their order: what each belongs to, how many of what counts that has, and the row's text."""
    *above, leaf, count = counts.columns
    rows = counts.with_columns(order.keys(counts[leaf], current=current).alias("key"))
    rows = rows.sort(*above, count, "key", leaf, descending=[*(False for _ in above), True, False, False])
    total, number, place = pl.col(count).sum(), pl.len(), pl.int_range(pl.len())
    if above:
        total, number, place = total.over(above), number.over(above), place.over(above)
    rows = rows.select(
        *above, total.alias("total"), number.alias("number"),
        pl.concat_str(numbers.counts(pl.col(count)), pl.lit("  "), leaf).alias("row"), place.alias("place"),
    )  # fmt: skip
    return (rows.filter(pl.col("place") < limit) if limit > 0 else rows).drop("place")


def _total(total: int, number: int, limit: int, *, current: bool) -> str:
    """What follows a key whose reasons come next: how many there were, and whether all are shown."""
    if current:
        return f" ({f'top {limit} of ' if 0 < limit < number else ''}{total})"
    return (f" (top {limit})" if limit > 0 else "") + f" (total: {total})"


def unsized(summary: Summary) -> Iterator[str]:
    """Messages of which the log tells no size."""
    if not summary.unsized:
        return
    title = "Messages with no size data"
    yield heading(f"{title} ({len(summary.unsized)})" if summary.settings.current else title)
    for queue_id, address in sorted(summary.unsized.items()):
        yield f" {queue_id}  {address}\n"


def messages(summary: Summary) -> Iterator[str]:
    """Each message: queue id, sender, recipients; by the sender's domain."""
    if not summary.messages:
        if not summary.settings.has("quiet"):
            yield "\nMessage detail: none\n"
        return
    yield heading("Message detail")
    for message in sorted(summary.messages, key=_by_domain):
        yield f" {message.queue_id}  {message.addresses[0]}\n"
        yield from (f"   {address}\n" for address in message.addresses[1:])
        yield "\n"


def _by_domain(message: Named) -> tuple[str, str, str]:
    user, _, host = message.addresses[0].partition("@")
    domain = host.partition("@")[0]
    if domain in ("", "0"):
        steps = message.addresses[0].rstrip("!").split("!")
        user, domain = steps[-1], steps[-2] if len(steps) > 1 else ""
    if domain and domain != "0":
        # "host.example.com" goes with "example.com", "host.example.co.uk" with "example.co.uk".
        if found := re.fullmatch(r"(.*)\.([^.]+)\.([^.]{3}|[^.]{2,3}\.[^.]{2})", domain):
            domain = f"{found[2]}.{found[3]}.{found[1]}"
    else:
        domain = ""
    return domain, user.rpartition("!")[2], message.queue_id
