"""Records sent with OTLP/HTTP, read by OpenTelemetry's own definitions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from exporting import EVENTS, busy, events, write
from google.protobuf.json_format import MessageToJson, Parse
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsPartialSuccess,
    ExportLogsServiceRequest,
    ExportLogsServiceResponse,
)
from servers import Reply, Request, web

from mailscope.vocabulary.errors import OutputError

pytestmark = pytest.mark.usefixtures("impatient")


def send(port: int, *arguments: object, path: str = "") -> Result:
    return events("--to", f"otlp+http://127.0.0.1:{port}{path}", *arguments)


def number(request: Request) -> int:
    read: Any = Parse(request.body, ExportLogsServiceRequest())
    return sum(len(s.log_records) for r in read.resource_logs for s in r.scope_logs)


def response(rejected: int = 0, message: str = "") -> bytes:
    """A collector's answer, as OpenTelemetry's own library writes it (64-bit numbers are texts)."""
    partial = ExportLogsPartialSuccess(rejected_log_records=rejected, error_message=message)
    return MessageToJson(ExportLogsServiceResponse(partial_success=partial)).encode()


def test_every_event_becomes_a_record(log: Path) -> None:
    with web(lambda *_: Reply(200, response())) as server:
        result = send(server.port, log)
    assert result.exit_code == 0, result.output
    [request] = server.requests
    assert request.path == "/v1/logs"
    assert request.headers["Content-Type"] == "application/json"
    assert number(request) == EVENTS
    assert f"{EVENTS} events read, {EVENTS} sent, 0 refused, 0 given up, 0 retries" in result.stderr


@pytest.mark.parametrize("path", ["/base", "/base/", "/base/v1/logs"])
def test_a_collector_may_stand_behind_a_path(log: Path, path: str) -> None:
    with web(lambda *_: Reply(200, {})) as server:
        assert send(server.port, log, path=path).exit_code == 0
    assert server.requests[0].path == "/base/v1/logs"


def test_a_partial_success_is_told_and_not_tried_again(log: Path) -> None:
    with web(lambda *_: Reply(200, response(3, "too old"))) as server:
        result = send(server.port, log)
    assert result.exit_code == 1
    assert f"{EVENTS - 3} sent, 3 refused, 0 given up, 0 retries; first refusal: too old" in result.stderr
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_a_busy_collector_is_tried_again(log: Path, status: int) -> None:
    with web(lambda _, n: Reply(status, {}) if n < 2 else Reply(200, b"")) as server:
        result = send(server.port, log)
    assert result.exit_code == 0
    assert len(server.requests) == 3
    assert server.requests[0].body == server.requests[2].body
    assert "2 retries" in result.stderr


def test_data_that_is_called_wrong_is_refused_and_the_rest_goes_on(tmp_path: Path) -> None:
    with web(lambda _, n: Reply(400, {"message": "bad"}) if n == 1 else Reply(200, {})) as server:
        result = send(server.port, write(tmp_path, busy(2500)))
    assert result.exit_code == 1
    assert [number(request) for request in server.requests] == [1000, 1000, 500]
    assert "2500 events read, 1500 sent, 1000 refused, 0 given up" in result.stderr
    assert "it answered 400 Bad Request: bad" in result.stderr


def test_an_answer_that_is_not_retryable_ends_it(tmp_path: Path) -> None:
    with web(lambda _, n: Reply(200, {}) if n == 0 else Reply(403, {})) as server:
        result = send(server.port, write(tmp_path, busy(2500)))
    assert isinstance(result.exception, OutputError)
    assert result.exit_code == 1
    assert "2500 events read, 1000 sent, 0 refused, 1500 given up" in result.stderr


def test_what_a_partial_success_cannot_mean_is_bounded(log: Path) -> None:
    for rejected in ("99999999999999999999", "-1", [], None, "x"):
        body = {"partialSuccess": {"rejectedLogRecords": rejected}}
        with web(lambda *_, body=body: Reply(200, body)) as server:  # type: ignore[misc]
            result = send(server.port, log)
        assert f"{EVENTS} events read" in result.stderr
        assert " 0 given up" in result.stderr
