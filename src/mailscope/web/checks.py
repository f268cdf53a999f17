"""Checks for monitoring programs: what they measure; the ranges are held against it by who asks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final

from fastapi import Body, FastAPI, Request
from pydantic import BaseModel

from mailscope.web.refusals import REFUSED
from mailscope.web.served import Served

Measure = Callable[[str, Mapping[str, Any]], dict[str, Any]]
# Options that name a person or a client.
PERSONAL: Final = ("user", "client", "sender")


class Number(BaseModel):
    """A figure; the first is what ranges are held against."""

    label: str
    value: float | None
    unit: str
    minimum: float | None
    maximum: float | None


class Found(BaseModel):
    """What a check measured."""

    figures: list[Number]
    words: str
    details: list[str]
    worst: int
    few: bool


def checks(measure: Measure) -> Callable[[FastAPI, Served, Callable[[Request], str]], None]:
    """What adds them to an application."""

    def add(app: FastAPI, service: Served, caller: Callable[[Request], str]) -> None:
        @app.post("/v1/checks/{name}", summary="What a check measures (docs/checks.md).", responses=REFUSED)
        def check(
            request: Request, name: str, options: Annotated[dict[str, Any], Body(max_length=20)]
        ) -> Found:
            asked = " ".join(str(options[each]) for each in PERSONAL if options.get(each))
            if asked:
                service.audit(caller(request), f"check {name}", asked)
            return Found.model_validate(measure(name, options))

    return add
