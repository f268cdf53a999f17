"""The daemon finds a listing, and that it is over; a list that fails ends none."""

from __future__ import annotations

import signal
import time
from datetime import datetime, timedelta
from pathlib import Path

import polars as pl
from listing import GOOD, Rbldnsd
from serving import Daemon

from mailscope.vocabulary.settings.detections.dnsbl import DnsblListed as Settings
from mailscope.watch.dnsbl.asking import Result
from mailscope.watch.dnsbl.listed import DnsblListed
from mailscope.watch.dnsbl.lists import Blocklist
from mailscope.watch.dnsbl.rounds import Rounds, renewed
from mailscope.watch.finding import Finding
from mailscope.watch.seen import Seen
from mailscope.watch.watcher import Watcher

OURS = "192.0.2.25"
BEGIN = datetime(2026, 3, 1)
LIST = Blocklist("bl.example.org", "Our list", severity="critical", link="https://list.example/")


class Asked:
    """Answers that a test sets."""

    def __init__(self) -> None:
        self.answers: list[Result] | Exception = []
        self.rounds = Rounds(Settings(delay_s=0, interval_h=1), self._ask)
        self.watcher = Watcher([DnsblListed(self.rounds)])
        self.now = BEGIN

    def _ask(self, settings: Settings) -> list[Result]:
        if isinstance(self.answers, Exception):
            raise self.answers
        return self.answers

    def after(self, hours: float, answers: list[Result] | Exception) -> list[Finding]:
        self.answers, number = answers, self.rounds.number
        self.now += timedelta(hours=hours)
        assert self.rounds.sample(self.now) is None
        until = time.monotonic() + 10
        while self.rounds.number == number and not self.rounds.problems and time.monotonic() < until:
            time.sleep(0.01)
        return self.watcher.see(Seen([], None, pl.DataFrame(), self.now))  # type: ignore[arg-type]


def result(state: str, zone: Blocklist = LIST) -> Result:
    return Result(OURS, zone, state, ("127.0.0.2",), ("sends spam",), "we saw it", "no answer")  # type: ignore[arg-type]


def test_a_listing_is_told_until_the_list_takes_it_back() -> None:
    asked = Asked()
    (found,) = asked.after(0, [result("listed")])
    assert str(found.title) == "192.0.2.25 is on the blocklist Our list"
    assert (found.severity, dict(found.subject)) == (
        "critical",
        {"listed": OURS, "blocklist": "bl.example.org"},
    )
    assert [str(each) for each in found.reasons] == [
        "the list says: sends spam", "the list says: we saw it", "to be taken off: https://list.example/",
    ]  # fmt: skip
    # Too early for another round; a failure ends nothing, nor does a list that is believed no more.
    assert asked.after(0.5, []) == []
    assert asked.after(1, [result("unknown")]) == []
    assert asked.rounds.problems == ("the blocklist bl.example.org tells nothing: no answer",)
    asked.rounds.problems = ()
    assert asked.after(24, RuntimeError("x")) == []
    assert asked.rounds.problems == ("DNS blocklists could not be asked: RuntimeError: x",)
    asked.rounds.problems = ()
    (over,) = asked.after(24, [result("clear")])
    assert (over.id, over.over_time) == (found.id, asked.now)


def test_rounds_go_on_unless_their_settings_change() -> None:
    first = Rounds(Settings())
    assert renewed(first, Settings()) is first
    assert renewed(first, Settings(interval_h=2)) is not first


def test_the_daemon_tells_of_a_listing_and_of_its_end(tmp_path: Path) -> None:
    server = Rbldnsd({"bl.example.org": ("ip4set", f"{GOOD}{OURS} :2:spam\n")})
    daemon = Daemon(tmp_path)
    plain = daemon.config.read_text()

    def configure(delay_s: int) -> None:
        daemon.config.write_text(
            plain
            + f'[detections.dnsbl_listed]\naddresses = ["{OURS}"]\ndiscover = false\ndelay_s = {delay_s}\n'
            f'tries = 1\nlists = ["bl.example.org"]\n[[detections.dnsbl_listed.zone]]\nzone = "bl.example.org"\n'
            f'nameserver = "127.0.0.1"\nport = {server.port}\n'
        )

    def wait_for(state: str) -> None:
        until = time.monotonic() + 120
        while (
            f"{OURS} is on the blocklist bl.example.org"
            not in daemon.ask("findings", "list", "--state", state).stdout
        ):
            assert time.monotonic() < until, daemon.errors.read_text()
            time.sleep(0.5)

    configure(0)
    daemon.log.write_text("")
    daemon.start()
    try:
        daemon.wait_until_ready()
        wait_for("open")
        server.write("bl.example.org", GOOD)
        server.wait_for("25.2.0.192.bl.example.org.", ())
        # Other settings begin another round.
        configure(1)
        daemon.send(signal.SIGHUP)
        wait_for("over")
    finally:
        assert daemon.stop() == 0
        server.close()
