"""A way as plain data for JSON; ``docs/steps.md`` describes it."""

from __future__ import annotations

from typing import Any

from mailscope.steps.way import Act, Lane, Process, Stay, Way


def record(way: Way) -> dict[str, Any]:
    """One way.  Instants and spans are seconds; ``clock`` says since when."""
    return {
        "queue_ids": way.queue_ids,
        "origin": way.origin,
        "clock": way.clock,
        "acts": [_act(act) for act in way.acts],
        "stays": [_stay(stay) for stay in way.stays],
        "spans": [{**_lane(lane), "took_s": _rounded(seconds)} for lane, seconds in way.spans()],
        "processes": [process_record(process) for process in way.processes],
        "notes": [str(note) for note in way.notes],
    }


def process_record(process: Process) -> dict[str, Any]:
    """One process of the tree."""
    return {
        **_lane(process.lane),
        "parent": process.parent,
        "command": process.command,
        "duty": process.duty and str(process.duty),
        "since": process.since,
        "until": process.until,
        "ended": process.ended or None,
    }


def _act(act: Act) -> dict[str, Any]:
    return {
        "time": _rounded(act.time),
        "kind": act.kind,
        "by": _lane(act.by),
        "to": _lane(act.to) if act.to is not None else None,
        "words": str(act.words),
        "took_s": _rounded(act.took_s),
        "queue": act.queue,
        "queue_id": act.queue_id,
        "sure": act.sure,
        "good": act.good,
    }


def _stay(stay: Stay) -> dict[str, Any]:
    return {
        "queue": stay.queue,
        "queue_id": stay.queue_id or None,
        "since": _rounded(stay.since),
        "until": _rounded(stay.until),
        "left": stay.left,
        "took_s": _rounded(stay.seconds),
    }


def _lane(lane: Lane) -> dict[str, Any]:
    return {"name": lane.name, "pid": lane.pid}


def _rounded(seconds: float | None) -> float | None:
    """To microseconds: logs and strace tell no more, and sums would show digits that mean nothing."""
    return None if seconds is None else round(seconds, 6)
