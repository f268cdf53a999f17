"""What detections found, with what people did about it: how it is asked of a store, and entered in it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Literal

import polars as pl

from mailscope.store.connecting import quoted
from mailscope.vocabulary.errors import UsageError
from mailscope.vocabulary.tables import FINDINGS, HANDLED

if TYPE_CHECKING:
    from mailscope.store.reader import Reader

Action = Literal["acknowledged", "muted", "unmuted", "noted"]
AT_LEAST: Final = {
    "info": ("info", "warning", "critical"),
    "warning": ("warning", "critical"),
    "critical": ("critical",),
}
# A finding's latest acknowledgement, and until when it is muted; for good is until the end of time.
_FINDINGS: Final = """
select findings.*, case when over_time is null then 'open' else 'over' end as state, done.acknowledged_by,
    done.acknowledged_time, case when done.muting = 'muted' then
    coalesce(done.muted_until, timestamp '9999-12-31') end as muted_until
from findings left join (
    select finding_id,
        max_by(author, time) filter (where action = 'acknowledged') as acknowledged_by,
        max(time) filter (where action = 'acknowledged') as acknowledged_time,
        max_by(action, time) filter (where action in ('muted', 'unmuted')) as muting,
        arg_max_null(muted_until, time) filter (where action = 'muted') as muted_until
    from handled group by finding_id
) as done on done.finding_id = findings.id
"""
NAMES: Final = (
    "id", "detection", "severity", "state", "title", "subject", "first_time", "last_time", "found_time",
    "over_time", "score", "figures", "reasons", "signals", "episodes", "subjects", "acknowledged_by",
    "acknowledged_time", "muted_until", "lines",
)  # fmt: skip
# What is asked: beside that, title and reasons with what they are made of (``watch/rows.py``).
_COLUMNS: Final = ", ".join((*NAMES, "phrases"))
JSON: Final = ("subject", "figures", "reasons", "lines")


def listing(state: str, severity: str, detection: str | None, since: datetime | None, limit: int) -> str:
    """SQL for findings, the newest first."""
    severities = ", ".join(map(quoted, AT_LEAST[severity]))
    conditions = [f"severity in ({severities})"]
    if state != "all":
        conditions.append(f"state = {quoted(state)}")
    if detection is not None:
        conditions.append(f"detection = {quoted(detection)}")
    if since is not None:
        conditions.append(f"last_time >= timestamp {quoted(since.isoformat(sep=' '))}")
    where = " and ".join(conditions)
    return f"select {_COLUMNS} from ({_FINDINGS}) where {where} order by found_time desc, id limit {limit:d}"


def one(name: str) -> str:
    """SQL for the findings whose id begins so."""
    where = f"starts_with(id, {quoted(name)})"
    return f"select {_COLUMNS} from ({_FINDINGS}) where {where} order by id limit 2"


def muted_at(now: datetime) -> str:
    """SQL for the ids of findings of which nothing is told at an instant (naive UTC): whose latest word of
    that kind is "muted", without an end or until later.
    """
    return (
        "select finding_id from (select finding_id, action, muted_until from handled where action in "
        "('muted', 'unmuted') qualify row_number() over (partition by finding_id order by time desc) = 1) "
        f"where action = 'muted' and coalesce(muted_until > timestamp {quoted(now.isoformat(sep=' '))}, true)"
    )


def history(name: str) -> str:
    """SQL for what people did about a finding, in order."""
    return (
        "select time, action, author, words, muted_until from handled "
        f"where finding_id = {quoted(name)} order by time"
    )


def plain(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row as JSON holds it."""
    return zoned({name: json.loads(row[name]) if name in JSON else row[name] for name in NAMES})


def zoned(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row with its instants (naive UTC) as JSON holds them."""
    return {
        name: value.isoformat(timespec="microseconds") + "Z" if isinstance(value, datetime) else value
        for name, value in row.items()
    }


def answer(reader: Reader, statement: str) -> pl.DataFrame:
    """The rows of one of these statements; no file of other tables is opened for them."""
    return pl.concat(reader.sql(statement, (FINDINGS, HANDLED)))


def only(frame: pl.DataFrame, name: str) -> dict[str, Any]:
    """The one row of an answer to ``one``.  Raises UsageError where there is none, or more."""
    if len(frame) != 1:
        what = f"there is no finding {name!r}" if not len(frame) else f"several findings begin with {name!r}"
        raise UsageError(what, "", "see 'mailscope findings list --state all'")
    return frame.to_dicts()[0]


def silence(detection: str | None) -> str:
    """What stands as ``finding_id`` in ``handled`` for all findings, or for those of a detection."""
    return f"*{detection or ''}"


def handling(
    finding: str, now: datetime, action: Action, author: str, words: str, until: datetime | None
) -> pl.DataFrame:
    """A row of ``handled``."""
    row = {
        "time": now, "finding_id": finding, "action": action, "author": author, "words": words,
        "muted_until": until,
    }  # fmt: skip
    instant = pl.Datetime("us")
    return pl.DataFrame([row], schema_overrides={"time": instant, "muted_until": instant})
