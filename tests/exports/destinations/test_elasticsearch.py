"""Documents sent with the bulk API to a server that refuses, is busy, hangs and falls over."""

from __future__ import annotations

import json
import os
import signal
import ssl
import subprocess
import sys
import time
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from exporting import EVENTS, LOG, busy, events, write
from servers import Index, Reply, Request, free_port, web

from mailscope.exports.destinations.elasticsearch import Elasticsearch
from mailscope.exports.destinations.http import HttpDestination
from mailscope.vocabulary.errors import InputError, OutputError

pytestmark = pytest.mark.usefixtures("impatient")


def send(port: int, *arguments: object) -> Result:
    return events("--to", f"elasticsearch+http://127.0.0.1:{port}/mail-events", *arguments)


def failure(result: Result) -> str:
    assert isinstance(result.exception, OutputError), result.output
    return str(result.exception)


def test_every_event_becomes_a_document(log: Path) -> None:
    index = Index()
    with web(lambda request, _: index.bulk(request)) as server:
        result = send(server.port, log)
    assert result.exit_code == 0, result.output
    wanted = [json.loads(line) for line in events("--format", "ecs", log).stdout.splitlines()]
    assert list(index.documents.values()) == wanted
    [request] = server.requests
    assert request.path.startswith("/mail-events/_bulk?filter_path=")
    assert request.headers["Content-Type"] == "application/x-ndjson"
    assert f"{EVENTS} events read, {EVENTS} sent, 0 refused, 0 given up, 0 retries" in result.stderr


def test_a_second_run_repeats_nothing_even_from_a_rotated_file(log: Path, tmp_path: Path) -> None:
    index = Index()
    with web(lambda request, _: index.bulk(request)) as server:
        send(server.port, log)
        rotated = log.rename(tmp_path / "mail.log.1")
        grown = LOG.splitlines(keepends=True)[0].replace("[10]", "[11]")
        result = send(server.port, rotated, write(tmp_path, grown))
    assert result.exit_code == 0
    assert len(index.documents) == EVENTS + 1
    assert f"{EVENTS + 1} events read, 1 sent, {EVENTS} already there, 0 refused" in result.stderr


def test_equal_lines_are_documents_of_their_own(log: Path) -> None:
    """The last two lines of the log are equal to the byte: it happened twice."""
    index = Index()
    with web(lambda request, _: index.bulk(request)) as server:
        send(server.port, log)
    assert [document["message"] for document in index.documents.values()].count(
        "warning: hostname h.example.org does not resolve to address 192.0.2.9"
    ) == 2


def test_busy_items_are_tried_again_and_wrong_ones_refused(log: Path) -> None:
    def result_of(document: dict[str, Any], attempt: int) -> tuple[int, str] | None:
        if document["process"]["name"] == "qmgr":
            return 400, "failed to parse"
        if document["process"]["name"] == "smtp" and attempt < 3:
            return (429, "queue is full") if attempt == 1 else (503, "shard is away")
        return None

    index = Index(result=result_of)
    with web(lambda request, _: index.bulk(request)) as server:
        result = send(server.port, log)
    assert result.exit_code == 1
    assert f"{EVENTS} events read, {EVENTS - 1} sent, 1 refused, 0 given up, 2 retries" in result.stderr
    assert "first refusal: 400 some_exception: failed to parse" in result.stderr
    # Only the busy ones were sent again.
    assert [request.body.count(b"\n") // 2 for request in server.requests] == [EVENTS, 2, 2]
    assert sorted(index.attempts.values()) == [1] * (EVENTS - 2) + [3, 3]


@pytest.mark.parametrize("date", [False, True])
def test_retry_after_is_waited_for(log: Path, date: bool) -> None:
    index = Index()

    def answer(request: Request, number: int) -> Reply:
        if number == 0:
            wait = formatdate(time.time() + 2, usegmt=True) if date else "1"
            return Reply(503, {"message": "starting"}, {"Retry-After": wait})
        return index.bulk(request)

    with web(answer) as server:
        result = send(server.port, log)
    assert result.exit_code == 0
    assert len(index.documents) == EVENTS
    assert server.requests[1].at - server.requests[0].at >= 0.95
    assert "1 retries" in result.stderr


def test_a_server_that_asks_to_come_back_too_late_is_given_up(log: Path) -> None:
    with web(lambda *_: Reply(429, {}, {"Retry-After": "3600"})) as server:
        started = time.monotonic()
        result = send(server.port, "--retry-for", 5, log)
    assert "429" in failure(result)
    assert time.monotonic() - started < 30
    assert f"{EVENTS} events read, 0 sent, 0 refused, {EVENTS} given up" in result.stderr


def test_a_connection_cut_after_the_work_was_done_repeats_nothing(log: Path) -> None:
    index = Index()

    def answer(request: Request, number: int) -> Reply:
        reply = index.bulk(request)
        return Reply(reset=True) if number == 0 else reply

    with web(answer):
        pass
    with web(answer) as server:
        result = send(server.port, log)
    assert result.exit_code == 0
    assert len(index.documents) == EVENTS
    assert f"0 sent, {EVENTS} already there, 0 refused, 0 given up, 1 retries" in result.stderr


@pytest.mark.parametrize(
    "reply", [Reply(silence=60), Reply(body=b"x" * 600, drip=0.1)], ids=["hangs", "drips"]
)
def test_a_server_that_takes_for_ever_is_cut_off_and_tried_again(log: Path, reply: Reply) -> None:
    index = Index()
    with web(lambda request, number: index.bulk(request) if number else reply) as server:
        started = time.monotonic()
        result = send(server.port, "--timeout", 0.5, log)
    assert result.exit_code == 0, result.output
    assert 0.5 <= time.monotonic() - started < 20
    assert len(index.documents) == EVENTS
    assert "1 retries" in result.stderr


def test_nobody_there_is_an_error_after_a_while(log: Path) -> None:
    result = send(free_port(), "--retry-for", 0.3, log)
    assert "Connection refused (tried" in failure(result)
    assert result.exit_code == 1
    assert f"{EVENTS} given up" in result.stderr


def test_no_such_host(log: Path) -> None:
    result = events("--to", "elasticsearch+http://no-such-host.invalid/mail", "--retry-for", 0.1, log)
    assert "host" in failure(result)


@pytest.mark.parametrize(
    ("status", "advice"), [(401, "credentials"), (404, "URL"), (400, ""), (302, ""), (500, "")]
)
def test_an_answer_that_will_not_change_ends_it(log: Path, status: int, advice: str) -> None:
    body = {"error": {"type": "x", "reason": "no \x1b[2J reason"}, "status": status}
    with web(lambda *_: Reply(status, body)) as server:
        result = send(server.port, log)
    assert f"it answered {status}" in failure(result)
    assert r"no \x1b[2J reason" in failure(result)
    assert advice in failure(result)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "body",
    [
        b"<html>login</html>",
        {"errors": True, "items": []},
        {},
        {"errors": True, "items": [{}] * (EVENTS - 1)},
        b"[" * 100_000,
    ],
)
def test_an_answer_that_is_not_understood_is_no_success(log: Path, body: Any) -> None:
    with web(lambda *_: Reply(200, body)) as server:
        result = send(server.port, log)
    assert "does not tell of every document" in failure(result)
    assert f"{EVENTS} given up" in result.stderr


def test_results_that_are_not_understood_are_refusals(log: Path) -> None:
    with web(
        lambda *_: Reply(200, {"errors": True, "items": [[], 3, {}, {"create": None}] + [{}] * 6})
    ) as server:
        result = send(server.port, log)
    assert result.exit_code == 1
    assert f"0 sent, {EVENTS} refused" in result.stderr


def test_a_request_that_is_too_large_is_halved(log: Path) -> None:
    index = Index()

    def answer(request: Request, number: int) -> Reply:
        return Reply(413, {}) if request.body.count(b"\n") // 2 > 3 else index.bulk(request)

    with web(answer) as server:
        result = send(server.port, log)
    assert result.exit_code == 0
    assert len(index.documents) == EVENTS
    with web(lambda *_: Reply(413, {})) as server:
        result = send(server.port, log)
    assert f"0 sent, {EVENTS} refused, 0 given up" in result.stderr


def test_requests_are_bounded_and_one_connection_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Elasticsearch, "most_bytes", 50_000)
    index = Index()
    with web(lambda request, _: index.bulk(request)) as server:
        result = send(server.port, write(tmp_path, busy(3000)))
    assert result.exit_code == 0
    assert len(index.documents) == 3000
    assert len(server.requests) > 10
    assert max(len(request.body) for request in server.requests) < 80_000  # with its actions
    assert server.connections == 1


def test_credentials_from_a_file_and_from_the_environment(
    log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = tmp_path / "secret.toml"
    secret.write_text('api_key = "a2V5"\n')
    index = Index()
    with web(lambda request, _: index.bulk(request)) as server:
        send(server.port, "--credentials", secret, log)
        monkeypatch.setenv("MAILSCOPE_USER", "mail")
        monkeypatch.setenv("MAILSCOPE_PASSWORD", "pass:word")
        send(server.port, log)
    sent = [request.headers["Authorization"] for request in server.requests]
    assert sent == ["ApiKey a2V5", "Basic bWFpbDpwYXNzOndvcmQ="]


def test_certificates_are_verified(log: Path, tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    asked = (
        "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1"
    )
    files = ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run(["openssl", *asked.split(), *files], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    index = Index()
    with web(lambda request, _: index.bulk(request), context) as server:
        url = f"opensearch+https://127.0.0.1:{server.port}/mail"
        assert "certificate is not trusted" in failure(events("--to", url, log))
        assert not server.requests
        assert events("--to", url, "--ca-file", certificate, log).exit_code == 0
        wrong = events("--to", url, "--ca-file", log, log)
        assert isinstance(wrong.exception, InputError)
    assert len(index.documents) == EVENTS


def test_lines_without_a_time_are_told_apart_by_their_place(tmp_path: Path) -> None:
    index = Index()
    log = write(tmp_path, "no stamp\nno stamp\n")
    with web(lambda request, _: index.bulk(request)) as server:
        send(server.port, log)
        result = send(server.port, log)
    assert len(index.documents) == 2
    assert "0 sent, 2 already there" in result.stderr


def test_fields_and_programs_keep_the_ids(log: Path) -> None:
    index = Index()
    with web(lambda request, _: index.bulk(request)) as server:
        send(server.port, log)
        result = send(server.port, "--program", "smtpd", "--fields", "client_ip", log)
    assert len(index.documents) == EVENTS
    assert "6 events read, 0 sent, 6 already there" in result.stderr


def test_ctrl_c_stops_at_once_and_tells(tmp_path: Path) -> None:
    log = write(tmp_path)
    with web(lambda *_: Reply(silence=60)) as server:
        url = f"elasticsearch+http://127.0.0.1:{server.port}/mail"
        command = [sys.executable, "-m", "mailscope", "events", str(log), "--to", url]
        with subprocess.Popen(command, stderr=subprocess.PIPE, env=os.environ) as process:
            assert process.stderr is not None
            deadline = time.monotonic() + 20
            while not server.requests:
                assert time.monotonic() < deadline
                time.sleep(0.02)
            process.send_signal(signal.SIGINT)
            started = time.monotonic()
            assert process.wait(timeout=10) == 130
            assert time.monotonic() - started < 10
            said = process.stderr.read().decode()
    assert "interrupted" in said
    assert f"{EVENTS} events read, 0 sent, 0 refused, {EVENTS} given up" in said


def test_a_slow_server_slows_the_reading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No request is made before the one before it is settled, so nothing piles up."""
    monkeypatch.setattr(HttpDestination, "most_events", 500, raising=False)
    monkeypatch.setattr(Elasticsearch, "most_events", 500)
    index, under_way = Index(), []

    def answer(request: Request, number: int) -> Reply:
        under_way.append(number)
        assert len(under_way) == 1
        reply = index.bulk(request)
        reply.silence = 0.05
        under_way.remove(number)
        return reply

    with web(answer) as server:
        result = send(server.port, write(tmp_path, busy(2000)))
        gaps = [b.at - a.at for a, b in zip(server.requests, server.requests[1:], strict=False)]
    assert result.exit_code == 0
    assert len(gaps) == 3
    assert min(gaps) >= 0.05
