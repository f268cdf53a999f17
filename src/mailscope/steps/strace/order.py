"""The deeds of all files in one order.

One file keeps its own.  Several are merged by their clocks; where they have none in common (no -t, -r in
files of -ff), by what must come before what: a child after its fork, an acceptance after its connection, a
file's use after it got its name, an id that is read after it was sent.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable, Sequence

from mailscope.steps.strace.calls import Trace
from mailscope.steps.strace.deeds import Deed, Deeds
from mailscope.steps.way import Clock

Step = tuple[str, object]


def in_order(traces: Sequence[Trace]) -> tuple[list[Deed], Clock]:
    """All deeds, numbered in ``at``, and the clock that their times are of ("none": they mean nothing)."""
    streams = [sorted(Deeds(trace).all(), key=_in_file) for trace in traces]
    streams = [stream for stream in streams if stream]
    clocks = {trace.clock for trace in traces if trace.calls}
    clock: Clock = clocks.pop() if len(clocks) == 1 else "none"
    if len(streams) > 1 and clock == "span":
        clock = "none"
    deeds: Iterable[Deed]
    if len(streams) <= 1:
        deeds = streams[0] if streams else []
    elif clock in ("epoch", "day"):
        deeds = heapq.merge(*streams, key=lambda deed: deed.time or 0.0)
    else:
        deeds = _by_cause(streams)
    ordered = list(deeds)
    for number, deed in enumerate(ordered):
        deed.at = number
    return ordered, clock


def _in_file(deed: Deed) -> int:
    """What waits counts when it is over, the rest when it begins."""
    return (
        deed.call.over_at if deed.kind in ("accepted", "named", "answered", "heard") else deed.call.began_at
    )


def _by_cause(streams: list[list[Deed]]) -> Iterable[Deed]:
    coming = Counter(step for stream in streams for deed in stream for step in _gives(deed))
    done: Counter[Step] = Counter()
    taken: Counter[Step] = Counter()
    places = [0] * len(streams)
    started: set[int] = set()
    number = 0
    while any(place < len(stream) for place, stream in zip(places, streams, strict=True)):
        left = [number for number, stream in enumerate(streams) if places[number] < len(stream)]
        # The same one as long as it can go on: who waits for nobody went on at once.
        left.sort(key=lambda each, last=number: each != last)  # type: ignore[misc]
        ready = (n for n in left if _ready(streams[n][places[n]], coming, done, taken, started))
        number = next(ready, left[0])
        deed = streams[number][places[number]]
        places[number] += 1
        started.add(deed.pid)
        for step in _needs(deed):
            taken[step] += step[0] == "connection"
        for step in _gives(deed):
            coming[step] -= 1
            done[step] += 1
        yield deed


def _ready(
    deed: Deed, coming: Counter[Step], done: Counter[Step], taken: Counter[Step], started: set[int]
) -> bool:
    steps = _needs(deed)
    if deed.pid not in started:
        steps = [*steps, ("process", deed.pid)]
    return all(coming[step] <= 0 or done[step] > taken[step] for step in steps)


def _gives(deed: Deed) -> list[Step]:
    """What others may wait for."""
    if deed.kind == "forked":
        return [("process", deed.child)]
    if deed.kind == "connected" and not deed.failed:
        return [("connection", deed.service)]
    if deed.kind == "named" and deed.flags == "sent":
        return [("id", deed.text)]
    place = deed.to if deed.kind == "moved" else deed.place if deed.kind == "made" else None
    return [("file", (place.queue, place.file))] if place is not None and place.file else []


def _needs(deed: Deed) -> list[Step]:
    """What must have been before it, where it comes at all."""
    if deed.kind == "accepted" and deed.service:
        return [("connection", deed.service)]
    if deed.kind == "named" and deed.flags == "read":
        return [("id", deed.text)]
    if deed.kind in ("opened", "removed", "moved") and deed.place is not None and deed.place.file:
        return [("file", (deed.place.queue, deed.place.file))]
    return []
