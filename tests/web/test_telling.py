"""The API gives what the commands give, documents it, and refuses in the documented way."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from asgi import answered
from pydantic import TypeAdapter
from serving import Daemon, append, made_lines

from mailscope.store import audit
from mailscope.store.remote import Remote
from mailscope.web.documents import AboutAnswer, CoverageAnswer, LoginsAnswer, ReportAnswer, Trail
from mailscope.web.peer import allowed

HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    with Daemon(tmp_path_factory.mktemp("telling")) as running:
        append(running.log, made_lines(100))
        at = datetime.now(UTC).isoformat(timespec="seconds")
        append(running.log, [
            f"{at} mx sshd[9]: Accepted password for alice from 192.0.2.66 port 4242 ssh2",
            f"{at} mx sshd[9]: Failed password for bob from 192.0.2.66 port 4243 ssh2",
            f"{at} mx ourdaemon[9]: nobody knows 17",
        ])  # fmt: skip
        running.start()
        running.wait_for(103)
        yield running
        running.stop()


def asked(daemon: Daemon, path: str) -> tuple[int, Any]:
    """Over the real socket."""
    door = Remote(daemon.place / "api.sock")
    try:
        door._connection.request("GET", path)
        answer = door._connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        door.close()


ANSWERS = [
    ("/v1/report?top=10", ("report",), ReportAnswer),
    (
        "/v1/report?section=deferrals&lang=sv",
        ("report", "--section", "deferrals", "--lang", "sv"),
        ReportAnswer,
    ),
    ("/v1/logins", ("logins",), LoginsAnswer),
    ("/v1/trace?query=a3@example.org", ("trace", "a3@example.org"), list[Trail]),
    ("/v1/about?subject=192.0.2.66", ("about", "192.0.2.66"), AboutAnswer),
    ("/v1/about?subject=192.0.2.0/24", ("about", "192.0.2.0/24"), AboutAnswer),
    ("/v1/coverage", ("coverage",), CoverageAnswer),
]


@pytest.mark.parametrize(("path", "command", "model"), ANSWERS)
def test_the_same_as_the_command(daemon: Daemon, path: str, command: tuple[str, ...], model: Any) -> None:
    status, told = asked(daemon, path)
    assert status == 200, told
    assert told == json.loads(daemon.ask(*command, "--tz", "UTC", "--format", "json").stdout)
    TypeAdapter(model).validate_python(told)
    what = path[4:].partition("?")[0]
    # Tallies are nobody's; who looks at lines is entered.
    entered = any(entry.what == what for entry in audit.entries(daemon.store))
    assert entered == (what not in ("report", "logins"))


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/v1/report?since=2026-11-27T10:30:00", 400, "tallies are kept by the hour"),
        ("/v1/report?section=nothing", 400, "nothing"),
        ("/v1/trace?query=a@example.org&since=2026-11-27&until=2026-11-26", 400, "it is not before until"),
        ("/v1/trace", 422, "Field required"),
        ("/v1/trace?query=x&limit=100000", 422, "less than or equal to 1000"),
        ("/v1/about?subject=192.0.2.66&kind=planet", 422, "Input should be"),
        ("/v1/about?subject=192.0.2.999/99&kind=network", 400, "192.0.2.999/99"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_words(daemon: Daemon, path: str, status: int, words: str) -> None:
    found, told = asked(daemon, path)
    assert found == status
    assert set(told) == {"what", "where", "what_to_do"}
    assert words in json.dumps(told)


def test_every_answer_and_refusal_is_documented(daemon: Daemon) -> None:
    _, document = asked(daemon, "/v1/openapi.json")
    for path, methods in document["paths"].items():
        for method, told in methods.items():
            assert told["summary"], path
            if path in ("/healthz", "/metrics", "/v1/status", "/v1/tail"):
                continue
            answers = told["responses"]
            assert {"400", "422", "500", "503"} <= set(answers), (path, method)
            for code in ("400", "422", "500", "503"):
                schema = answers[code]["content"]["application/json"]["schema"]
                assert schema == {"$ref": "#/components/schemas/Refused"}, (path, code)
    for name in ("ReportAnswer", "Trail", "AboutAnswer", "CoverageAnswer"):
        assert document["components"]["schemas"][name]["example"]


class _Broken:
    """A service in which everything fails."""

    def __getattr__(self, name: str) -> Any:
        def fails(*_: object, **__: object) -> Any:
            raise ZeroDivisionError("ours")

        return fails


def test_a_mistake_of_ours_is_told_as_one() -> None:
    from mailscope.web.api import api

    status, told = answered(api(_Broken()), "GET", "/v1/trace", query="query=a@example.org")  # type: ignore[arg-type]
    assert status == 500
    assert told == {"what": "ZeroDivisionError: ours", "where": "the daemon", "what_to_do": "report this"}


def test_who_may_change_the_store(monkeypatch: pytest.MonkeyPatch) -> None:
    from mailscope.web.api import api

    monkeypatch.setattr("os.geteuid", lambda: 12)
    assert allowed(0, "")
    assert allowed(12, "")
    assert not allowed(4321, "")
    assert not allowed(4321, "root")
    app = api(_Broken())  # type: ignore[arg-type]
    for method, path in (
        ("POST", "/v1/ingest"), ("POST", "/v1/erase"), ("POST", "/v1/store/seal"), ("POST", "/v1/store/compact"),
        ("POST", "/v1/store/verify"), ("GET", "/v1/store/backup"),
    ):  # fmt: skip
        body = {"names": ["a@example.org"]} if path == "/v1/erase" else {}
        status, told = answered(app, method, path, body, ("mallory", 4321))
        assert status == 403, (path, told)
        assert told["what"] == "mallory may not change the store"


def test_the_span_of_a_report(daemon: Daemon, tmp_path: Path) -> None:
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    late = (now + HOUR).strftime("%Y-%m-%dT%H:%M:%SZ")
    status, told = asked(daemon, f"/v1/report?since={late}")
    assert status == 200
    assert told["balance"][0]["name"] == "lines read"
