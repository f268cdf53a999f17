"""What changes the store: loading logs, erasing a person, upkeep.

On the socket only root, the daemon's own user and the members of its group (``api.group``) may ask for it;
over TCP, those whose role may (``people/rules.py``).
"""

from __future__ import annotations

import json
import struct
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import asdict
from typing import Any, Final

import duckdb
from fastapi import Depends, FastAPI, Request
from fastapi.params import Depends as DependsParameter
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool

from mailscope.store.upkeep import Step
from mailscope.vocabulary.errors import MailscopeError, UsageError
from mailscope.web.answers import Damages, Erased, Erasure, Loaded, Refused, Verification
from mailscope.web.people.viewer import Viewer
from mailscope.web.refusals import NotAllowedError, told
from mailscope.web.served import Load, Served

NDJSON: Final = "application/x-ndjson"
TAR: Final = "application/x-tar"
OCTETS: Final = "application/octet-stream"
LENGTH: Final = struct.Struct(">Q")
# A part has some thousand lines.
MOST_BYTES: Final = 1 << 30
BEGUN: Final = {
    "description": "A line of JSON for each file or day that is done; where it fails, `error` in the last."
}

Only = Sequence[DependsParameter]
Answers = dict[int | str, dict[str, Any]]


def add_changing(
    app: FastAPI,
    service: Served,
    asking: Callable[[Request], Viewer],
    group: str,
    refused: dict[int | str, dict[str, Any]],
) -> None:
    """Loading, erasing and upkeep."""

    def may_change(request: Request) -> None:
        if not asking(request).may("store"):
            raise NotAllowedError(asking(request).signature, group)

    only = [Depends(may_change)]
    answers = {403: {"model": Refused, "description": "Not for this user."}, **refused}
    _add_loading(app, service, only, answers)
    _add_erasing(app, service, asking, only, answers)
    _add_upkeep(app, service, only, answers)
    _add_backup(app, service, asking, only, answers)


def _add_loading(app: FastAPI, service: Served, only: Only, answers: Answers) -> None:
    @app.post(
        "/v1/ingest",
        summary="Load lines: parts as mailscope.store.parts packs them, each behind its length (8 bytes).",
        dependencies=only,
        responses=answers,
        openapi_extra={"requestBody": {"content": {OCTETS: {}}, "required": True}},
    )
    async def ingest(request: Request) -> Loaded:
        load = await run_in_threadpool(service.load)
        try:
            await _fed(load, request.stream())
            return Loaded(**asdict(await run_in_threadpool(load.end)))
        except BaseException:
            await run_in_threadpool(load.drop)
            raise


def _add_erasing(
    app: FastAPI, service: Served, asking: Callable[[Request], Viewer], only: Only, answers: Answers
) -> None:
    @app.post("/v1/erase", summary="Erase a person.", dependencies=only, responses=answers)
    def erase(question: Erasure, request: Request) -> Erased:
        who, names = asking(request).signature, tuple(question.names)
        service.audit(who, "privacy erase", " ".join(names))
        held = service.held(names)
        receipt = None if question.dry_run else service.erase(names, who)
        return Erased(counts=dict(held.counts), alone=held.alone, receipt=receipt)


def _add_upkeep(app: FastAPI, service: Served, only: Only, answers: Answers) -> None:
    def stepwise(path: str, summary: str, steps: Callable[[], Iterator[Step]]) -> None:
        @app.post(
            f"/v1/store/{path}",
            summary=summary,
            response_class=StreamingResponse,
            dependencies=only,
            responses={200: {"content": {NDJSON: {}}, **BEGUN}, **answers},
            name=path,
        )
        def step() -> StreamingResponse:
            return StreamingResponse(_steps(steps()), media_type=NDJSON)

    stepwise("seal", "Seal finished days now.", service.seal)
    stepwise("compact", "Make one file of the small files of each day.", service.compact)

    @app.post(
        "/v1/store/verify",
        summary="Read all of the store and compare it.",
        dependencies=only,
        responses=answers,
    )
    def verify(question: Verification) -> Damages:
        damages = service.verify(set_aside=question.set_aside)
        return Damages.model_validate({"damage": [asdict(each) for each in damages]})


def _add_backup(
    app: FastAPI, service: Served, asking: Callable[[Request], Viewer], only: Only, answers: Answers
) -> None:
    @app.get(
        "/v1/store/backup",
        summary="A copy of the store as it is at one moment, as a tar file.",
        response_class=StreamingResponse,
        dependencies=only,
        responses={200: {"content": {TAR: {}}}, **answers},
    )
    def backup(request: Request) -> StreamingResponse:
        service.audit(asking(request).signature, "store backup", "everything")
        pieces = service.backup()
        # The first piece now: what cannot be copied is told with a status of its own.
        first = next(pieces)
        return StreamingResponse(_again(first, pieces), media_type=TAR)


async def _fed(load: Load, pieces: AsyncIterator[bytes]) -> None:
    """Give the parts of a body to be stored, one after the other."""
    held = bytearray()
    async for piece in pieces:
        held += piece
        while len(held) >= LENGTH.size:
            (length,) = LENGTH.unpack_from(held)
            if length > MOST_BYTES:
                raise UsageError("a part is too long", "the lines", "send what 'mailscope ingest' sends")
            if len(held) < LENGTH.size + length:
                break
            data = bytes(held[LENGTH.size : LENGTH.size + length])
            del held[: LENGTH.size + length]
            await run_in_threadpool(load.add, data)
    if held:
        raise UsageError("the last part is not whole", "the lines", "run it again: no line is stored twice")


def _steps(steps: Iterator[Step]) -> Iterator[str]:
    try:
        for step in steps:
            yield json.dumps({"done": step.kind, "place": step.place}) + "\n"
    except (MailscopeError, duckdb.Error, OSError) as error:
        yield json.dumps({"error": told(error).model_dump()}) + "\n"


def _again(first: bytes, others: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from others
