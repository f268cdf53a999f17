"""Routes at work, each in its thread: real servers take alerts while others hang and refuse."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from sinks import hanging_server, http_sink, smtp_sink
from storing import Feeder, lab_lines
from telling import ROME, Desk, finding

from mailscope.watch.alerts.alerting import Alerting, threads

PATIENCE_S = 120.0
# Far more than a step takes, far less than the patience of a route that hangs.
SOON_S = 5.0


def now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)


def routes(smtp: int, http: int, hanging: int, refusing: int, more: str = "") -> str:
    mail = 'recipients = ["pm@example.org"]\nsmtp_tls = "none"\nsmtp_host = "127.0.0.1"\n'
    return f"""
[alerts]
host = "mx.example.org"
{more}
[[alerts.routes]]
name = "mail"
via = "smtp"
{mail}smtp_port = {smtp}
[[alerts.routes]]
name = "hook"
via = "webhook"
url = "http://127.0.0.1:{http}/alerts"
[[alerts.routes]]
name = "hanging"
via = "smtp"
timeout_s = 60
{mail}smtp_port = {hanging}
[[alerts.routes]]
name = "refusing"
via = "webhook"
url = "http://127.0.0.1:{refusing}/"
"""


class Real(Desk):
    """A desk with couriers that are threads, and the host's clock."""

    def begin(self) -> None:
        self.alerting = Alerting(self.settings, ROME, self.said.append, threads)
        self.longest_s = 0.0

    def step(self) -> None:
        begun = time.monotonic()
        self.alerting.step(self.database, now())
        self.longest_s = max(self.longest_s, time.monotonic() - begun)

    def until(self, true: Callable[[], bool]) -> None:
        end = time.monotonic() + PATIENCE_S
        while not true():
            assert time.monotonic() < end, (self.states(), self.said)
            self.step()
            time.sleep(0.05)


def test_one_that_hangs_and_one_that_refuses_hold_up_neither_the_others_nor_the_daemon(
    tmp_path: Path,
) -> None:
    with smtp_sink() as mails, http_sink() as posts, hanging_server() as hanging, http_sink(503) as refusing:
        told = Real(tmp_path / "store", routes(mails.port, posts.port, hanging, refusing.port))
        told.step()
        told.put(finding("a", first_time=now(), last_time=now(), found_time=now()))
        told.until(lambda: len(mails.taken) == 1 and len(posts.taken) == 1 and bool(refusing.taken))
        later = finding("a", first_time=now(), last_time=now(), found_time=now(), severity="critical")
        told.put(later)
        told.until(lambda: len(mails.taken) == 2 and len(posts.taken) == 2)
        told.until(lambda: "mail worse sent" in told.states() and "hook worse sent" in told.states())
        assert [json.loads(body)["type"] for _, _, body in posts.taken] == [
            "mailscope.found",
            "mailscope.worse",
        ]
        assert "hanging found trying" in told.states()
        (problem,) = told.alerting.problems()
        assert problem.startswith("the route refusing does not take alerts (")
        assert problem.endswith(f"http://127.0.0.1:{refusing.port}: it answered 503 Service Unavailable")
        assert told.longest_s < SOON_S
        # The daemon ends although a route hangs.
        begun = time.monotonic()
        told.alerting.close(told.database)
        assert time.monotonic() - begun < 2 * SOON_S
        told.close()


def test_a_refused_message_is_tried_again_with_its_id(tmp_path: Path) -> None:
    with http_sink(503) as posts, hanging_server() as hanging, socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        closed = free.getsockname()[1]
        told = Real(tmp_path / "store", routes(closed, posts.port, hanging, closed))
        told.step()
        told.put(finding("a", first_time=now(), last_time=now(), found_time=now()))
        told.until(lambda: len(posts.taken) == 1)
        posts.status = 204
        # After a quarter of a minute.
        told.until(lambda: len(posts.taken) == 2)
        told.until(lambda: "hook found sent" in told.states())
        assert len({headers["webhook-id"] for _, headers, _ in posts.taken}) == 1
        told.alerting.close(told.database)
        told.close()


def test_batches_are_stored_as_fast_with_routes_that_hang(tmp_path: Path) -> None:
    from storing import arrivals

    lines = lab_lines()
    pieces = arrivals(lines, range(0, len(lines), len(lines) // 8))

    def longest(store: Path, settings: str) -> float:
        feeder, worst = Feeder(store), 0.0
        told = Real(store.parent / f"{store.name}.alerts", settings)
        told.step()
        told.put(*(finding(f"{number:x}", last_time=now(), found_time=now()) for number in range(40)))
        for piece in pieces:
            begun = time.monotonic()
            feeder.feed(piece)
            told.step()
            worst = max(worst, time.monotonic() - begun)
        told.alerting.close(told.database)
        told.close()
        feeder.close()
        return worst

    with hanging_server() as hanging:
        without = longest(tmp_path / "one", '[alerts]\nhost = "mx.example.org"\n')
        with_them = longest(tmp_path / "two", routes(hanging, hanging, hanging, hanging))
    # A route's own patience is 30 s and more; nothing of it is seen.
    assert with_them < without + SOON_S
