"""Time every page on a store of many messages, and with people clicking while lines come.

    python benchmarks/pages.py --days 28 --messages 100000 --store build/pages

Prints the time that the server took for each page (the first look, and the second), then what 20 people who
look at one page after the other meet while 2,000 lines a second are stored, and how late lines are seen.
The store is kept and made only once.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from mailscope.daemon.opening import opened
from mailscope.daemon.service import Service
from mailscope.daemon.serving import Doors
from mailscope.intake.follow.files import FileFeed
from mailscope.intake.follow.naming import Followed
from mailscope.recognise.library import in_force
from mailscope.vocabulary.settings.settings import Settings
from mailscope.web.people.viewer import VIEWER, Viewer
from mailscope.web.site import site

PAGES = (
    "/", "/?range=28d", "/messages", "/messages?status=deferred&range=28d",
    "/messages?q=user77@dom7.example&range=28d", "/domains?range=28d", "/domains/dom7.example?range=28d",
    "/causes?range=28d", "/causes/mailbox_full?range=28d", "/security?range=28d", "/logins?range=28d",
    "/queue",
    "/trends", "/host?range=28d", "/live", "/findings", "/lines", "/lines?event=rejected&range=28d",
    "/about?subject=203.0.113.90&range=28d", "/about?subject=example.org&range=28d",
    "/about?subject=user77@dom7.example&range=28d", "/about?subject=root&range=28d", "/settings", "/audit",
)  # fmt: skip
REJECTED = "554 5.7.1 <x@example.org>: Relay access denied; from=<a@example.com> to=<x@example.org> helo=<h>"
REASONS = (
    ("deferred", "4.2.2", "452 4.2.2 Mailbox full"),
    ("deferred", "4.7.1", "450 4.7.1 Greylisted, try again later"),
    ("bounced", "5.1.1", "550 5.1.1 User unknown"),
)
SENT = ("sent", "2.0.0", "250 2.0.0 Ok")
# Messages that come live are no others.
LIVE: Final = 1 << 24
PEOPLE, LINES_PER_S, CLICKS_S, READS_S, BEFORE_S = 20, 2_000, 30.0, 3.0, 5.0


def day_lines(day: datetime, messages: int, lasting_s: float = 86_400, first: int = 0) -> Iterator[str]:
    """A day's lines: mail to 400 domains, a twentieth of it put off or refused; logins that fail.

    ``lasting_s``: or those of a shorter time; ``first``: the number of the first message.
    """
    step = lasting_s / messages
    for number in range(first, first + messages):
        at = (day + timedelta(seconds=(number - first) * step)).isoformat(timespec="milliseconds")
        queue_id = f"{day:%m%d}{number:07X}"
        head = f"{at}Z mx postfix"
        guest = number % 250
        to = f"user{number % 9973}@dom{number % 397}.example"
        status, dsn, words = REASONS[number // 20 % 3] if number % 20 == 0 else SENT
        client = f"c{number % 500}.example[192.0.2.{guest}]"
        sender, size = f"s{number % 5003}@example.org", 900 + number % 7000
        yield f"{head}/smtpd[{900 + number % 50}]: {queue_id}: client={client}"
        yield f"{head}/cleanup[31]: {queue_id}: message-id=<{queue_id}@example.org>"
        yield f"{head}/qmgr[7]: {queue_id}: from=<{sender}>, size={size}, nrcpt=1 (queue active)"
        yield (
            f"{head}/smtp[44]: {queue_id}: to=<{to}>, relay=mx{number % 97}.example[198.51.100.2]:25, "
            f"delay={number % 30 / 10}, delays=0.1/0/0.2/0.2, dsn={dsn}, status={status} ({words})"
        )
        yield f"{head}/qmgr[7]: {queue_id}: removed"
        if number % 10 == 0:
            yield f"{head}/smtpd[901]: NOQUEUE: reject: RCPT from unknown[203.0.113.{guest}]: {REJECTED}"
        if number % 50 == 0:
            yield f"{at}Z mx sshd[9]: Failed password for root from 203.0.113.{guest} port 4242 ssh2"


def make(directory: Path, days: int, messages: int) -> None:
    """Load the days into a new store, and seal them."""
    import subprocess
    import sys

    directory.mkdir(parents=True, exist_ok=True)
    log = directory / "mail.log"
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    for back in range(days, 0, -1):
        log.write_text("\n".join(day_lines(today - timedelta(days=back), messages)) + "\n")
        command = [
            sys.executable,
            "-m",
            "mailscope",
            "ingest",
            "--tz",
            "UTC",
            "--store",
            str(directory / "store"),
            str(log),
        ]
        subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
    log.unlink()
    # The lines of the last day are not settled yet; everything else is.
    subprocess.run(
        [sys.executable, "-m", "mailscope", "store", "seal", "--store", str(directory / "store")], check=False
    )
    (directory / "made").write_text(f"{days} {messages}\n")


class Asking:
    """Asks the application without a socket, as an admin."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def ask(self, path: str) -> tuple[int, float]:
        """The status, and how long it took in seconds."""
        place, _, query = path.partition("?")
        status = 0

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Any) -> None:
            nonlocal status
            status = message.get("status", status)

        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "path": place,
            "raw_path": place.encode(), "query_string": query.encode(), "root_path": "", "scheme": "http",
            "headers": [], "client": ("127.0.0.1", 1), "server": ("localhost", 80),
            "state": {VIEWER: Viewer("bench")},
        }  # fmt: skip
        begun = time.perf_counter()
        await self._app(scope, receive, send)
        return status, time.perf_counter() - begun


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=int, default=28)
    parser.add_argument("--messages", type=int, default=100_000)
    parser.add_argument("--store", type=Path, default=Path("build/pages"))
    parser.add_argument("--people", type=int, default=PEOPLE)
    options = parser.parse_args()
    if not (options.store / "made").exists():
        begun = time.monotonic()
        make(options.store, options.days, options.messages)
        print(f"made in {time.monotonic() - begun:.0f} s")
    log = options.store / "live.log"
    log.write_text("")
    service = Service(
        open=lambda: opened(options.store / "store", 160, print),
        library=in_force(None),
        zone=ZoneInfo("UTC"),
        feeds=[FileFeed([Followed(str(log))], {})],
        say=print,
    )
    asking = Asking(site(Doors(service), Settings))
    ended = threading.Event()
    thread = threading.Thread(target=_serve, args=(service, ended), daemon=True)
    thread.start()
    try:
        asyncio.run(_each(asking))
        asyncio.run(_many(asking, service, log, options.people))
    finally:
        ended.set()
        thread.join()
        service.stop()


def _serve(service: Service, ended: threading.Event) -> None:
    while not ended.is_set():
        if not service.step():
            time.sleep(0.5)


async def _each(asking: Asking) -> None:
    print(f"{'page':<50} {'first':>8} {'again':>8}")
    for path in PAGES:
        status, first = await asking.ask(path)
        again = min([(await asking.ask(path))[1] for _ in range(3)])
        print(
            f"{path:<50} {first * 1000:6.0f}ms {again * 1000:6.0f}ms {'' if status == 200 else status}",
            flush=True,
        )


async def _many(asking: Asking, service: Service, log: Path, people: int) -> None:
    """People who click while lines come; how late lines are stored."""
    late: list[float] = []
    written: dict[int, float] = {}
    ended = threading.Event()

    def write() -> None:
        number = 0
        with log.open("a") as out:
            while not ended.is_set():
                begun = time.monotonic()
                now, messages = datetime.now(UTC).replace(tzinfo=None), LINES_PER_S // 10 // 5
                lines = list(day_lines(now, messages, 0.1, LIVE + number))
                out.write("\n".join(lines) + "\n")
                out.flush()
                number += len(lines)
                written[number] = time.monotonic()
                time.sleep(max(0.0, 0.1 - (time.monotonic() - begun)))

    stored = service.status.lines

    def seen(rows: Any) -> None:
        now = time.monotonic()
        count = service.status.lines - stored + len(rows)
        late.extend(now - written.pop(number) for number in [each for each in written if each <= count])

    service.watchers.append(seen)
    writer = threading.Thread(target=write, daemon=True)
    writer.start()
    took: dict[str, list[float]] = {}

    async def person(place: int) -> None:
        # Nobody clicks because somebody else does.
        await asyncio.sleep(READS_S * place / people)
        until = time.monotonic() + CLICKS_S
        number = place
        while time.monotonic() < until:
            path = PAGES[number % len(PAGES)]
            _, seconds = await asking.ask(path)
            took.setdefault(path, []).append(seconds)
            number += 1
            # Who looks at a page reads it for a while.
            await asyncio.sleep(READS_S)

    # As a daemon that has been running for a while: its patterns are compiled.
    await asyncio.sleep(BEFORE_S)
    late.clear()
    await asyncio.gather(*(person(place) for place in range(people)))
    ended.set()
    writer.join()
    every = sorted(seconds for found in took.values() for seconds in found)
    told = {
        "clicks": len(every),
        "median_s": statistics.median(every),
        "p95_s": every[int(0.95 * len(every))],
        "slowest_s": every[-1],
        "line_late_median_s": statistics.median(late) if late else -1.0,
        "line_late_max_s": max(late, default=-1.0),
    }
    print(json.dumps({name: round(value, 3) for name, value in told.items()}))


if __name__ == "__main__":
    main()
