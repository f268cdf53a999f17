"""The JSON API, version 1.  Rows come as Arrow streams (``application/vnd.apache.arrow.stream``)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from io import RawIOBase
from typing import Annotated, Any, Final

import duckdb
import polars as pl
from fastapi import FastAPI, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, StreamingResponse

from mailscope import __version__
from mailscope.store.asking import Asked
from mailscope.store.person import to_bytes
from mailscope.vocabulary.errors import MailscopeError, UsageError
from mailscope.vocabulary.instants import asked_naive, naive_now
from mailscope.web.answers import Health, Mark, Names, Question, Receipt, Refused, Statement, Status, Verdict
from mailscope.web.changing import add_changing
from mailscope.web.findings import add_findings
from mailscope.web.live import add_tail
from mailscope.web.metrics import add_metrics
from mailscope.web.peer import peer
from mailscope.web.people.viewer import Viewer
from mailscope.web.refusals import REFUSED, NotAllowedError, told
from mailscope.web.served import Served
from mailscope.web.telling import add_telling

Adder = Callable[[FastAPI, Served, Callable[[Request], str]], None]
Who = Callable[[Request], Viewer]
ARROW: Final = "application/vnd.apache.arrow.stream"
OCTETS: Final = "application/octet-stream"


def api(service: Served, group: str = "", more: Sequence[Adder] = (), who: Who | None = None) -> FastAPI:
    """The application over a running service; ``group``: whose members may change the store; ``more``: what
    else it answers; ``who``: tells who asks, where that is not the user at the other end of the socket.
    """
    asking = who or (lambda request: peer(request, group))

    def caller(request: Request) -> str:
        return asking(request).signature

    app = FastAPI(
        title="Mailscope",
        version=__version__,
        description="What the daemon has stored: lines, messages, tallies.",
        docs_url=None,
        redoc_url=None,
        openapi_url="/v1/openapi.json",
    )
    app.add_exception_handler(MailscopeError, _refused)
    app.add_exception_handler(duckdb.Error, _refused)
    app.add_exception_handler(OSError, _refused)
    app.add_exception_handler(RequestValidationError, _wrong)
    app.add_exception_handler(Exception, _mistaken)
    add_health(app, service, asking)
    add_reading(app, service, caller)
    add_marks(app, service, caller)
    add_findings(app, service, caller)
    add_telling(app, service, asking, REFUSED)
    add_tail(app, service, caller)
    add_metrics(app, service)
    add_changing(app, service, asking, group, REFUSED)
    for add in more:
        add(app, service, caller)
    return app


def _refused(request: Request, error: Exception) -> Response:
    status = 400 if isinstance(error, UsageError) else 403 if isinstance(error, NotAllowedError) else 503
    return JSONResponse(told(error).model_dump(), status)


def _wrong(request: Request, error: Exception) -> Response:
    """A parameter, or a field of the body, that cannot be so."""
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"][1:]) or str(first["loc"][0])
    advice = "see /v1/openapi.json"
    return JSONResponse(Refused(what=str(first["msg"]), where=where, what_to_do=advice).model_dump(), 422)


def _mistaken(request: Request, error: Exception) -> Response:
    """What should never be."""
    words = " ".join(f"{type(error).__name__}: {error}".split())[:300]
    return JSONResponse(Refused(what=words, where="the daemon", what_to_do="report this").model_dump(), 500)


def add_health(app: FastAPI, service: Served, asking: Who) -> None:
    """For whoever watches the daemon."""

    @app.get("/healthz", summary="Whether lines are being stored.")
    def health(request: Request) -> Health:
        problem = service.status.problem
        # Its words may name files, which are nobody's business who has not logged in.
        return Health(status=(problem if asking(request).may("look") else problem and "not storing") or "ok")


def add_reading(app: FastAPI, service: Served, caller: Callable[[Request], str]) -> None:
    """What is asked of the store."""

    @app.get("/v1/status", summary="How the daemon and its store are.")
    def status() -> Status:
        store = service.reader().status()
        found = service.status
        daemon = {
            "started": found.started, "lines": found.lines, "batches": found.batches,
            "last_batch": found.last_batch, "waiting_bytes": service.waiting_bytes(),
            "problems": service.problems(),
        }  # fmt: skip
        return Status.model_validate({"daemon": daemon, "store": store})

    @app.post("/v1/lines", summary="Lines as logged.", response_class=Response, responses=_rows())
    def lines(question: Question, request: Request) -> Response:
        asked = Asked(
            asked_naive(question.since), asked_naive(question.until), tuple(question.hosts), question.about,
            tuple(question.kinds), question.limit,
        )  # fmt: skip
        # Without a question, they are everybody's.
        service.audit(caller(request), "lines", question.about or "every line")
        return _arrow(service.reader().lines(asked))

    @app.post("/v1/sql", summary="Rows that a SELECT gives.", response_class=Response, responses=_rows())
    def sql(question: Statement, request: Request) -> Response:
        service.audit(caller(request), "sql", question.statement)
        answers = service.reader().sql(question.statement)
        # The first rows now: what is wrong with the statement is told with a status of its own.
        first = next(answers)
        return _arrow(_again(first, answers))

    @app.post(
        "/v1/person",
        summary="All that is held of a person, as mailscope.store.person packs it.",
        response_class=Response,
        responses={200: {"content": {OCTETS: {}}}, **REFUSED},
    )
    def person(question: Names, request: Request) -> Response:
        service.audit(caller(request), "privacy export", " ".join(question.names))
        return Response(to_bytes(service.reader().person(tuple(question.names))), media_type=OCTETS)

    @app.post("/v1/receipt", summary="Whether a receipt of an erasure is genuine.", responses=REFUSED)
    def receipt(question: Receipt) -> Verdict:
        return Verdict(verdict=service.reader().verdict(question.receipt, tuple(question.names)))

    @app.get(
        "/v1/tallies",
        summary="Tallies of the whole hours of a span, as mailscope.tallies.kept packs them.",
        response_class=Response,
        responses={200: {"content": {OCTETS: {}}}, **REFUSED},
    )
    def tallies(
        since: Annotated[datetime | None, Query()] = None,
        until: Annotated[datetime | None, Query()] = None,
        by_time: Annotated[bool, Query(description="Only those that tell days or hours apart.")] = False,
    ) -> Response:
        with service.lock:
            copied = service.reader().hours(asked_naive(since), asked_naive(until), by_time=by_time)
        return Response(copied.packed(), media_type=OCTETS)


def add_marks(app: FastAPI, service: Served, caller: Callable[[Request], str]) -> None:
    """Notes on the time line."""

    @app.post("/v1/marks", summary="Put a note on the time line.", status_code=201, responses=REFUSED)
    def mark(note: Mark, request: Request) -> Mark:
        when = asked_naive(note.time) or naive_now()
        service.mark(when, caller(request), note.title, note.details)
        return note.model_copy(update={"time": when.replace(tzinfo=UTC)})


def _rows() -> dict[int | str, dict[str, Any]]:
    return {200: {"content": {ARROW: {}}, "description": "An Arrow stream."}, **REFUSED}


def _again(first: pl.DataFrame, others: Iterator[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    yield first
    yield from others


def _arrow(frames: Iterator[pl.DataFrame]) -> StreamingResponse:
    return StreamingResponse(_encoded(frames), media_type=ARROW)


def _encoded(frames: Iterator[pl.DataFrame]) -> Iterator[bytes]:
    import pyarrow as pa

    sink = _Pieces()
    writer: pa.RecordBatchStreamWriter | None = None
    for frame in frames:
        table = frame.to_arrow(compat_level=pl.CompatLevel.oldest())
        if writer is None:
            writer = pa.ipc.new_stream(sink, table.schema)
        writer.write_table(table)
        yield sink.taken()
    if writer is not None:
        writer.close()
        yield sink.taken()


class _Pieces(RawIOBase):
    """Bytes that are written, until they are taken."""

    def __init__(self) -> None:
        super().__init__()
        self._pieces: list[bytes] = []

    def writable(self) -> bool:
        """It is."""
        return True

    def write(self, data: Any) -> int:
        """Keep some bytes."""
        self._pieces.append(bytes(data))
        return len(data)

    def taken(self) -> bytes:
        """What has been written since the last time."""
        pieces, self._pieces = self._pieces, []
        return b"".join(pieces)
