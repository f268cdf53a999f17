"""Sections that count reasons, and the detail of each message."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from mailscope.reports.compat.pflogsumm import numbers
from mailscope.reports.compat.pflogsumm.hosts import older_sort_key, sort_key
from mailscope.reports.compat.pflogsumm.picked import MASTER
from mailscope.reports.compat.pflogsumm.summary import Named, Summary
from mailscope.reports.compat.pflogsumm.tables import heading

Tree = dict[str, "Tree | int"]


def section(summary: Summary, title: str, limit: int) -> Iterator[str]:
    """One section: reasons below what they belong to, the most frequent first."""
    counts = summary.details.get(title, {})
    if not counts:
        if not summary.settings.has("quiet"):
            yield f"\n{title}: none\n"
        return
    yield heading(title)
    tree: Tree = {}
    for path, count in counts.items():
        below: Tree = tree
        for key in path[:-1]:
            inner = below.setdefault(key, {})
            assert isinstance(inner, dict)
            below = inner
        below[path[-1]] = count
    yield from _branches(tree, limit, " " if title == MASTER else "  ", current=summary.settings.current)


def _branches(tree: Tree, limit: int, indent: str, *, current: bool) -> Iterator[str]:
    leaves = {key: value for key, value in tree.items() if isinstance(value, int)}
    if leaves:
        yield from _leaves(leaves, limit, indent, current=current)
        return
    for key in sorted(tree):
        below = tree[key]
        assert isinstance(below, dict)
        yield f"{indent}{key}{_total(below, limit, current=current)}\n"
        yield from _branches(below, limit, indent + "  ", current=current)


def _total(tree: Tree, limit: int, *, current: bool) -> str:
    """What follows a key whose reasons come next: how many there were, and whether all are shown."""
    values = [value for value in tree.values() if isinstance(value, int)]
    if not values:
        return ""
    if current:
        return f" ({f'top {limit} of ' if 0 < limit < len(values) else ''}{sum(values)})"
    return (f" (top {limit})" if limit > 0 else "") + f" (total: {sum(values)})"


def _leaves(counts: Mapping[str, int], limit: int, indent: str, *, current: bool) -> Iterator[str]:
    key = sort_key if current else older_sort_key
    ordered = sorted(counts.items(), key=lambda row: (-row[1], key(row[0]), row[0]))
    for text, count in ordered[:limit] if limit > 0 else ordered:
        yield f"{indent}{numbers.count(count)}  {text}\n"


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
