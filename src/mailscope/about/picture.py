"""What was counted, as plain data: what JSON shows as it is, and what text is made of."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Any, Final

import polars as pl

from mailscope.about.collect import OTHERS, SHOWN, Collector, stamp

FIRST, LAST = pl.col("first").min(), pl.col("last").max()
COUNT, BAD = pl.col("count").sum(), pl.col("bad").sum()
# What tells logins apart: of an address the names that it tried, otherwise the addresses.
PARTNER: Final = {"ip": "user", "network": "client_ip"}


def picture(collector: Collector, top: int) -> dict[str, Any]:
    """The whole; ``top``: rows of a table at most (0: all)."""
    subject = collector.subject
    programs = _table(collector, "programs", ("host", "program"), 0)
    times = [(row["first"], row["last"]) for row in programs]
    return {
        "subject": subject.text,
        "kind": subject.kind,
        "nature": subject.nature(),
        "zone": str(collector.zone),
        "lines": collector.lines,
        "first": min((first for first, _ in times if first), default=None),
        "last": max((last for _, last in times if last), default=None),
        "programs": programs,
        "happened": _table(collector, "happened", ("service", "event", "result"), 0),
        "causes": _table(
            collector, "causes", ("event", "cause"), top, sample=pl.col("sample").drop_nulls().first()
        ),
        "others": _others(collector, top),
        "notable": _notable(collector),
        "hours": _hours(collector),
        "lines_shown": _ends(collector),
        "messages": _messages(collector, top),
        "messages_total": len(collector.rows("messages")),
        "fates": _fates(collector),
    }


def _table(
    collector: Collector, name: str, keys: tuple[str, ...], top: int, **more: pl.Expr
) -> list[dict[str, Any]]:
    found = collector.added(name, *keys, count=COUNT, first=FIRST, last=LAST, **more)
    if found is None:
        return []
    ordered = found.sort("count", *keys, descending=[True] + [False] * len(keys))
    return [_told(row, collector) for row in (ordered.head(top) if top else ordered).to_dicts()]


def _told(row: dict[str, Any], collector: Collector) -> dict[str, Any]:
    return {
        name: stamp(value, collector.zone) if name in ("first", "last", "time") else value
        for name, value in row.items()
    }


def _others(collector: Collector, top: int) -> dict[str, dict[str, Any]]:
    """Who else is named with it, by field: how often, and in how many lines of refusals and failures."""
    found = collector.added("others", "name", "value", count=COUNT, first=FIRST, last=LAST, bad=BAD)
    if found is None:
        return {}
    found = found.filter(pl.col("value").str.to_lowercase() != collector.subject.text.lower())
    out = {}
    for name in OTHERS:
        rows = (
            found.filter(pl.col("name") == name).drop("name").sort("count", "value", descending=[True, False])
        )
        if len(rows):
            shown = (rows.head(top) if top else rows).to_dicts()
            out[name] = {"total": len(rows), "rows": [_told(row, collector) for row in shown]}
    return out


def _notable(collector: Collector) -> list[dict[str, Any]]:
    """First login of each kind, and first successes after failures."""
    if not collector.tables["logins"]:
        return []
    logins = pl.concat(collector.tables["logins"]).sort("time")
    partner = PARTNER.get(collector.subject.kind, "client_ip")
    good = pl.col("event") == "login_succeeded"
    out = [
        {"what": what, "time": row["time"], "with": row[partner], "service": row["service"], "failures": 0}
        for what, rows in (("first login", logins.filter(good)), ("first failed login", logins.filter(~good)))
        for row in rows.head(1).to_dicts()
    ]
    entered = pl.col("time").filter(good).min()
    groups = logins.filter(pl.col(partner).is_not_null()).group_by(partner, maintain_order=True).agg(
        entered.alias("time"),
        (~good & (pl.col("time") <= entered)).sum().alias("failures"),
        pl.col("service").filter(good).first(),
    )  # fmt: skip
    out += [
        {
            "what": "first success after failures", "time": row["time"], "with": row[partner],
            "service": row["service"], "failures": row["failures"],
        }
        for row in groups.filter(pl.col("time").is_not_null() & (pl.col("failures") > 0)).to_dicts()
    ]  # fmt: skip
    out.sort(key=lambda row: row["time"] or datetime.min)
    return [_told(row, collector) for row in out]


def _hours(collector: Collector) -> list[dict[str, Any]]:
    """Lines by hour; hours without any are left out."""
    found = collector.added("hours", "hour", count=COUNT, bad=BAD)
    if found is None:
        return []
    rows = found.filter(pl.col("hour").is_not_null()).sort("hour").to_dicts()
    return [{**row, "hour": row["hour"].isoformat(timespec="minutes")} for row in rows]


def _ends(collector: Collector) -> dict[str, list[str]]:
    """The first and the last lines."""
    rows = sorted(collector.rows("ends"), key=lambda row: row["time"] or datetime.min)
    lines = [row["raw"] for row in rows]
    first = lines[:SHOWN]
    return {"first": first, "last": lines[max(len(first), len(lines) - SHOWN) :]}


def _fates(collector: Collector) -> dict[str, int]:
    """The recipients of all its messages, by what became of them."""
    fates = Counter(row["fate"] for row in collector.rows("recipients"))
    return dict(fates.most_common())


def _messages(collector: Collector, top: int) -> list[dict[str, Any]]:
    """The latest messages, with the fate of each recipient."""
    rows = sorted(
        collector.rows("messages"), key=lambda row: (row["first_time"] or datetime.min, row["queue_id"] or "")
    )
    rows = rows[-top:] if top else rows
    wanted = {row["trail"] for row in rows}
    fates: dict[int, list[dict[str, Any]]] = {}
    for row in collector.rows("recipients"):
        if row["trail"] in wanted:
            fates.setdefault(row["trail"], []).append({"recipient": row["recipient"], "fate": row["fate"]})
    return [
        {
            "host": row["host"],
            "queue_id": row["queue_id"],
            "first": stamp(row["first_time"], collector.zone),
            "last": stamp(row["last_time"], collector.zone),
            "sender": row["sender"],
            "size_bytes": row["size_bytes"],
            "ended": row["ended"],
            "recipients": fates.get(row["trail"], []),
        }
        for row in rows
    ]
