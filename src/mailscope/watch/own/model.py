"""What may stand in a file of a detection, one table for each."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from mailscope.vocabulary.settings.values import Table
from mailscope.watch.detection import AGAIN_S, QUIET_S

Text = Annotated[str, Field(min_length=1, max_length=2_000)]
Seconds = Annotated[int, Field(ge=1, le=604_800)]
Above = Annotated[float, Field(gt=0, le=1e15)]
Names = Annotated[tuple[Text, ...], Field(max_length=50)]
# A condition is read by ``conditions.py``.
Where = dict[str, Any]


class Lines(Table):
    """Log lines, once or again and again; ``{time}`` is a stamp that goes on, ``{n}`` counts from 1."""

    lines: Annotated[str, Field(min_length=1, max_length=200_000)]
    repeat: Annotated[int, Field(ge=1, le=20_000)] = 1
    every_s: Annotated[float, Field(gt=0, le=86_400)] = 1.0


class Example(Table):
    """Lines on which the detection fires, or stays quiet.  ``subjects``: of whom it tells, where given."""

    fires: bool
    lines: Annotated[str, Field(min_length=1, max_length=200_000)] | None = None
    repeat: Annotated[int, Field(ge=1, le=20_000)] = 1
    every_s: Annotated[float, Field(gt=0, le=86_400)] = 1.0
    part: tuple[Lines, ...] = ()
    subjects: tuple[dict[str, str], ...] = ()


class Own(Table):
    """A file: what people are told of the detection, and what it looks for."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{1,60}$")]
    title: Text
    description: Text
    why: str = ""
    false_positives: str = ""
    advice: str = ""
    commands: Names = ()
    level: Literal["info", "warning", "critical"] = "warning"
    id: str = ""
    author: str = ""
    references: Names = ()
    tags: Names = ()
    enabled: bool = True
    events: Annotated[tuple[str, ...], Field(min_length=1, max_length=50)]
    programs: Names = ()
    services: Names = ()
    where: Where = Field(default_factory=dict)
    group_by: Annotated[tuple[str, ...], Field(max_length=4)] = ()
    measure: Literal["count", "distinct", "sum", "rate", "share"] = "count"
    field: str | None = None
    part: Where = Field(default_factory=dict)
    least_events: Annotated[int, Field(ge=1, le=1_000_000)] = 20
    window_s: Seconds = 3_600
    at_least: Above | None = None
    times_usual: Annotated[float, Field(gt=1, le=1e6)] | None = None
    history_hours: Annotated[int, Field(ge=3, le=1_344)] = 48
    quiet_s: Seconds = QUIET_S
    again_s: Seconds = AGAIN_S
    evidence_lines: Annotated[int, Field(ge=0, le=10)] = 10
    example: tuple[Example, ...] = ()
