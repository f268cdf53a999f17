"""Tallies of many tasks become one, where they are: in the executors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

from mailscope.cluster.rows import HOUR, as_arrow, results
from mailscope.cluster.staging import instant
from mailscope.tallies import kept
from mailscope.tallies.ledger import Ledger


def merger(zone: str) -> Callable[[Any, Any], Any]:
    """What a task does with the packed tallies of one hour: RESULTS with their sum."""

    def merge(key: Any, rows: Any) -> Any:
        number = key[0].as_py()
        whole = Ledger(zone=ZoneInfo(zone))
        # In one order, so that a task that is done again gives the same.
        for data in sorted(rows.column("data").to_pylist()):
            whole.merge(kept.from_bytes(data, whole.zone, hour=instant(number)))
        return as_arrow(results([{"kind": HOUR, "hour": number, "data": kept.to_bytes(whole)}]))

    return merge
