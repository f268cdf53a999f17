"""The daemon's figures as Prometheus gets them: the real one, over TCP with a token; restarts, and settings read again."""

from __future__ import annotations

import http.client
import json
import shutil
import signal
import socket
import subprocess
import time
import urllib.parse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from metering import Series, log_lines, number, series, utc_now
from serving import PATIENCE_S, Daemon

from mailscope.store.calling import Connection
from mailscope.watch.metrics.shipped import panels, rules

PROMETHEUS = shutil.which("prometheus")
TOKEN = "c2VjcmV0"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


def asked(port: int, path: str = "/metrics", **headers: str) -> tuple[int, str, str]:
    """Status, content type and body."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", path, headers=headers)
    answer = connection.getresponse()
    told = answer.status, answer.headers["content-type"], answer.read().decode()
    connection.close()
    return told


def on_socket(daemon: Daemon) -> Series:
    connection = Connection(daemon.place / "api.sock")
    connection.request("GET", "/metrics")
    answer = connection.getresponse()
    assert answer.status == 200
    found = series(answer.read().decode())
    connection.close()
    return found


def write(daemon: Daemon, first: int, count: int) -> None:
    """So many times the small log, of now."""
    begin = utc_now() - timedelta(seconds=5)
    with daemon.log.open("a") as file:
        for serial in range(first, first + count):
            file.write("".join(f"{line}\n" for line in log_lines(begin, serial)))


LINES = len(log_lines(utc_now()))


def wait_until(condition: Callable[[], bool], what: str) -> None:
    until = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < until, what
        time.sleep(0.2)


class Prometheus:
    """The real one, on loopback."""

    def __init__(self, place: Path, target: int) -> None:
        self.port = free_port()
        (place / "token").write_text(TOKEN + "\n")
        (place / "mailscope.rules.yml").write_text(rules())
        config = {
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "rule_files": ["mailscope.rules.yml"],
            "scrape_configs": [
                {
                    "job_name": "mailscope",
                    "authorization": {"credentials_file": str(place / "token")},
                    "static_configs": [{"targets": [f"127.0.0.1:{target}"]}],
                }
            ],
        }
        # JSON is YAML.
        (place / "prometheus.yml").write_text(json.dumps(config))
        self.command = [
            str(PROMETHEUS),
            f"--config.file={place / 'prometheus.yml'}",
            f"--storage.tsdb.path={place / 'tsdb'}",
            f"--web.listen-address=127.0.0.1:{self.port}",
            "--log.level=warn",
        ]
        self.said = place / "said"

    def query(self, expression: str) -> list[dict[str, Any]]:
        """The answer to an instant query."""
        status, _, body = asked(self.port, f"/api/v1/query?{urllib.parse.urlencode({'query': expression})}")
        assert status == 200, body
        found: list[dict[str, Any]] = json.loads(body)["data"]["result"]
        return found

    def value(self, expression: str) -> float | None:
        """The value of the only series of an answer; None while there is none."""
        found = self.query(expression)
        assert len(found) <= 1
        return float(found[0]["value"][1]) if found else None

    def wait_for(self, expression: str, value: float) -> None:
        wait_until(lambda: self.value(expression) == value, f"{expression} is not {value}")

    def rules_are_evaluated(self) -> bool:
        groups = json.loads(asked(self.port, "/api/v1/rules")[2])["data"]["groups"]
        health = [rule["health"] for group in groups for rule in group["rules"]]
        assert "err" not in health
        return bool(health) and set(health) == {"ok"}

    def ready(self) -> bool:
        try:
            return asked(self.port, "/-/ready")[0] == 200
        except OSError:
            return False


@contextmanager
def prometheus(place: Path, target: int) -> Iterator[Prometheus]:
    found = Prometheus(place, target)
    with found.said.open("wb") as said:
        process = subprocess.Popen(found.command, stdout=said, stderr=said, cwd=place)
    try:
        wait_until(found.ready, "Prometheus does not start")
        yield found
    finally:
        process.kill()
        process.wait(60)


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    port = free_port()
    token = tmp_path / "token"
    token.write_text(TOKEN + "\n")
    with Daemon(tmp_path, f'[metrics]\nenabled = true\nport = {port}\ntoken_file = "{token}"\n') as found:
        found.port = port  # type: ignore[attr-defined]
        found.log.touch()
        yield found


def port_of(daemon: Daemon) -> int:
    return int(daemon.port)  # type: ignore[attr-defined]


@pytest.mark.skipif(PROMETHEUS is None, reason="prometheus (Debian: prometheus) is not there")
def test_prometheus_has_the_numbers_of_what_was_logged(daemon: Daemon, tmp_path: Path) -> None:
    """Also after the daemon was killed: nothing is lost from then on, and nothing comes twice."""
    place = tmp_path / "prometheus"
    place.mkdir()
    daemon.start()
    daemon.wait_until_ready()
    with prometheus(place, port_of(daemon)) as prom:
        prom.wait_for("up", 1)
        write(daemon, 0, 7)
        prom.wait_for('mailscope_delivery_attempts_total{status="sent"}', 7)
        assert prom.value("sum(mailscope_lines_total)") == 7 * LINES
        assert prom.value("mailscope_daemon_stored_lines_total") == 7 * LINES
        assert prom.value('mailscope_delivery_failures_total{cause="mailbox_full"}') == 7
        assert prom.value('mailscope_logins_total{result="failed"}') == 7
        # What is told of the store may be some seconds old.
        prom.wait_for('mailscope_queue_messages{queue="deferred"}', 7)
        assert prom.value('mailscope_delivery_delay_seconds_count{stage="total"}') == 7
        assert prom.value(
            'histogram_quantile(0.5, mailscope_delivery_delay_seconds_bucket{stage="total"})'
        ) == pytest.approx(2, abs=1)
        assert prom.value("sum(mailscope_lines_unrecognised_total) / sum(mailscope_lines_total)") == (
            pytest.approx(1 / LINES)
        )
        # The state is not kept yet: the next daemon follows these lines once more, and must not count them.
        daemon.stop(signal.SIGKILL)
        prom.wait_for("up", 0)
        write(daemon, 7, 4)
        daemon.start()
        prom.wait_for('mailscope_delivery_attempts_total{status="sent"}', 4)
        write(daemon, 11, 1)
        prom.wait_for('mailscope_delivery_attempts_total{status="sent"}', 5)
        assert prom.value('resets(mailscope_delivery_attempts_total{status="sent"}[10m])') == 1
        prom.wait_for('mailscope_queue_messages{queue="deferred"}', 12)
        # Every query of the dashboard can be asked, and the rules are evaluated.
        for row in panels()["row"]:
            for panel in row["panel"]:
                for query in panel["query"]:
                    prom.query(query["expr"].replace("$instance", ".*"))
        wait_until(prom.rules_are_evaluated, "rules are not evaluated")
    assert daemon.stop() == 0


def test_who_has_no_token_gets_nothing(daemon: Daemon) -> None:
    daemon.start()
    daemon.wait_until_ready()
    port = port_of(daemon)
    for shown in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Basic {TOKEN}"}):
        status, kind, body = asked(port, **shown)
        assert (status, kind) == (401, "text/plain; charset=utf-8")
        assert "mailscope_" not in body
    token = {"Authorization": f"Bearer {TOKEN}"}
    status, kind, body = asked(port, **token)
    assert (status, kind) == (200, "text/plain; version=0.0.4; charset=utf-8")
    assert number(series(body), "mailscope_daemon_storing") == 1
    _, kind, body = asked(port, Accept="application/openmetrics-text; version=1.0.0", **token)
    assert kind == "application/openmetrics-text; version=1.0.0; charset=utf-8"
    assert body.endswith("# EOF\n")
    # Nothing else is answered there: not what is stored, and nothing is taken.
    for path in ("/v1/status", "/v1/lines", "/healthz", "/v1/openapi.json", "/"):
        assert asked(port, path, **token)[0] == 404
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("POST", "/metrics", headers=token)
    assert connection.getresponse().status == 405


def test_the_daemon_tells_how_it_is(daemon: Daemon) -> None:
    daemon.start()
    daemon.wait_until_ready()
    write(daemon, 0, 2)
    daemon.wait_for(2 * LINES)
    wait_until(
        lambda: on_socket(daemon).get(("mailscope_daemon_stored_lines_total", ()), 0) == 2 * LINES, "lines"
    )
    time.sleep(5)  # what is told of the store may be as old
    found = on_socket(daemon)
    assert number(found, "mailscope_sources", kind="file") == 1
    assert number(found, "mailscope_source_waiting_bytes", source=str(daemon.log)) == 0
    assert number(found, "mailscope_store_hot_rows", table="events") == 2 * LINES
    assert number(found, "mailscope_daemon_problems") == 0
    assert number(found, "mailscope_daemon_batch_duration_seconds_count") >= 1
    assert 0 <= time.time() - number(found, "mailscope_last_line_timestamp_seconds") < 120
    assert 0 <= number(found, "mailscope_daemon_lag_seconds") < 120
    assert number(found, "process_resident_memory_bytes") > 50e6
    assert (
        0
        < number(found, "mailscope_host_memory_available_bytes")
        <= number(found, "mailscope_host_memory_bytes")
    )
    # The command asks the daemon, and says nothing besides.
    done = daemon.ask("metrics")
    assert (done.returncode, done.stderr) == (0, "")
    assert number(series(done.stdout), "mailscope_daemon_stored_lines_total") == 2 * LINES
    # Without it, the store tells what it holds.
    assert daemon.stop() == 0
    done = daemon.ask("metrics", "--format", "openmetrics")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("# EOF\n")
    assert 'mailscope_delivery_attempts_total{status="sent"} 2.0' in done.stdout.splitlines()
    assert "mailscope_daemon_" not in done.stdout


def test_the_address_follows_the_settings(daemon: Daemon, tmp_path: Path) -> None:
    token = {"Authorization": f"Bearer {TOKEN}"}
    daemon.start()
    daemon.wait_until_ready()
    old, new = port_of(daemon), free_port()
    settings = daemon.config.read_text()
    daemon.config.write_text(settings.replace(f"port = {old}", f"port = {new}"))
    (tmp_path / "token").write_text("b3RoZXI=\n")
    daemon.send(signal.SIGHUP)
    daemon.wait_for_words(f"figures for Prometheus on 127.0.0.1 port {new}")
    daemon.wait_for_words("settings read again")
    assert asked(new, **token)[0] == 401
    assert asked(new, Authorization="Bearer b3RoZXI=")[0] == 200
    with pytest.raises(ConnectionRefusedError):
        asked(old)
    # A port that somebody else has: everything stays as it was.
    with socket.create_server(("127.0.0.1", 0)) as taken:
        held = taken.getsockname()[1]
        daemon.config.write_text(settings.replace(f"port = {old}", f"port = {held}"))
        daemon.send(signal.SIGHUP)
        daemon.wait_for_words("the settings stay as they were: ")
        assert f"127.0.0.1 port {held}" in daemon.errors.read_text()
    assert asked(new, Authorization="Bearer b3RoZXI=")[0] == 200
    write(daemon, 0, 1)
    daemon.wait_for(LINES)
    daemon.config.write_text(settings.replace("[metrics]\nenabled = true", "[metrics]\nenabled = false"))
    said = len(daemon.errors.read_text())
    daemon.send(signal.SIGHUP)
    wait_until(lambda: "settings read again" in daemon.errors.read_text()[said:], "settings are not read")
    with pytest.raises(ConnectionRefusedError):
        asked(new)
    assert daemon.stop() == 0


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ('[metrics]\nenabled = true\ntoken_file = "/nonexistent/token"\n', "/nonexistent/token"),
        ('[metrics]\nenabled = true\naddress = "192.0.2.1"\n', "192.0.2.1 port 9925"),
    ],
)
def test_a_daemon_that_cannot_answer_as_asked_does_not_start(tmp_path: Path, more: str, words: str) -> None:
    with Daemon(tmp_path, more) as daemon:
        daemon.start()
        assert daemon.process is not None
        assert daemon.process.wait(PATIENCE_S) != 0
        assert words in daemon.errors.read_text()
        assert "Traceback" not in daemon.errors.read_text()
