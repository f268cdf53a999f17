"""Findings: what they are, and what people do about them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import FastAPI, Path, Query, Request
from pydantic import BaseModel, Field

from mailscope.store import findings
from mailscope.vocabulary.instants import asked_naive, naive_now
from mailscope.web.answers import Strict
from mailscope.web.refusals import REFUSED
from mailscope.web.served import Served

Id = Annotated[str, Path(description="The id, or its beginning.", min_length=4, max_length=16)]


class Handled(Strict):
    """What is done about a finding."""

    action: findings.Action
    words: str = Field("", description="Why.", max_length=2_000)
    until: datetime | None = Field(None, description="Until when it is muted (UTC); otherwise for good.")


class Silence(Strict):
    """That people are told of nothing for a while."""

    until: datetime | None = Field(None, description="Until then (UTC); none: it ends now.")
    detection: str | None = Field(None, description="Only of this detection.", max_length=100)
    words: str = Field("", description="Why.", max_length=2_000)


class Done(BaseModel):
    """What was done about a finding."""

    time: datetime
    action: str
    author: str
    words: str
    muted_until: datetime | None


class Shown(BaseModel):
    """A finding."""

    id: str
    detection: str
    severity: str
    state: str
    title: str
    subject: dict[str, str]
    first_time: datetime
    last_time: datetime
    found_time: datetime
    over_time: datetime | None
    score: float | None
    figures: dict[str, Any]
    reasons: list[str]
    signals: int
    episodes: int
    subjects: int
    acknowledged_by: str | None
    acknowledged_time: datetime | None
    muted_until: datetime | None
    lines: list[dict[str, Any]]


class Whole(Shown):
    """A finding with what people did about it."""

    handled: list[Done]


def add_findings(app: FastAPI, service: Served, caller: Callable[[Request], str]) -> None:
    """Findings, and what is done about them."""

    @app.get("/v1/findings", summary="What detections found, the newest first.", responses=REFUSED)
    def listed(
        request: Request,
        state: Literal["open", "over", "all"] = "open",
        severity: Literal["info", "warning", "critical"] = "info",
        detection: Annotated[str | None, Query(max_length=100)] = None,
        since: datetime | None = None,
        limit: Annotated[int, Query(ge=1, le=10_000)] = 200,
    ) -> list[Shown]:
        service.audit(caller(request), "findings", f"{state} {severity} {detection or ''}".strip())
        statement = findings.listing(state, severity, detection, asked_naive(since), limit)
        return [Shown.model_validate(findings.plain(row)) for row in _rows(service, statement)]

    @app.get("/v1/findings/{name}", summary="One finding.", responses=REFUSED)
    def shown(request: Request, name: Id) -> Whole:
        service.audit(caller(request), "findings", name)
        told = _one(service, name)
        done = [findings.zoned(row) for row in _rows(service, findings.history(told["id"]))]
        return Whole.model_validate({**findings.plain(told), "handled": done})

    @app.post("/v1/silences", summary="Tell of nothing for a while.", status_code=201, responses=REFUSED)
    def silence(request: Request, asked: Silence) -> Done:
        now = naive_now()
        author, until = caller(request), asked_naive(asked.until)
        action: findings.Action = "muted" if until is not None else "unmuted"
        name = findings.silence(asked.detection)
        service.add("handled", findings.handling(name, now, action, author, asked.words, until))
        return _done(now, action, author, asked.words, until)

    @app.post("/v1/findings/{name}/handled", summary="Note what is done.", status_code=201, responses=REFUSED)
    def handle(request: Request, name: Id, done: Handled) -> Done:
        told = _one(service, name)
        now = naive_now()
        author = caller(request)
        until = asked_naive(done.until)
        row = findings.handling(told["id"], now, done.action, author, done.words, until)
        service.add("handled", row)
        return _done(now, done.action, author, done.words, until)


def _done(time: datetime, action: str, author: str, words: str, until: datetime | None) -> Done:
    told = {"time": time, "action": action, "author": author, "words": words, "muted_until": until}
    return Done.model_validate(findings.zoned(told))


def _one(service: Served, name: str) -> dict[str, Any]:
    return findings.only(findings.answer(service.reader(), findings.one(name)), name)


def _rows(service: Served, statement: str) -> list[dict[str, Any]]:
    return findings.answer(service.reader(), statement).to_dicts()
