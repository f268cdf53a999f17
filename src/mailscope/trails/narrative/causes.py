"""Why attempts did not deliver, and why clients were refused: causes for the steps of stories."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import polars as pl

from mailscope.causes.events import ADDED, DIRECTIONS, TOLD_FROM, with_causes
from mailscope.trails.narrative.trail import Step


def name_causes(steps: Iterable[Step]) -> None:
    """Put ``cause`` and ``blocklist`` into the fields of those steps that have one."""
    by_event: dict[str, list[Step]] = defaultdict(list)
    for step in steps:
        if step.event in DIRECTIONS:
            by_event[step.event].append(step)
    for event, told in by_event.items():
        frame = pl.DataFrame(
            [[step.fields.get(name) for step in told] for name in sorted(TOLD_FROM)],
            schema={name: pl.Int64 if name == "reply_code" else pl.String for name in sorted(TOLD_FROM)},
            orient="col",
        )
        named = with_causes(event, frame).select(ADDED)
        for step, found in zip(told, named.iter_rows(named=True), strict=True):
            step.fields |= {name: value for name, value in found.items() if value is not None}
