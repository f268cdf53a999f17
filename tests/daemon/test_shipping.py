"""Sealed days that the daemon has a child bring to the store of a cluster."""

from __future__ import annotations

import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path

import duckdb

from mailscope.daemon.shipping import EVERY, Shipping, shipping
from mailscope.vocabulary.settings.keeping import Store
from mailscope.vocabulary.settings.settings import Settings

LOG = Path(__file__).parents[2] / "examples" / "postfix" / "mail.log.1"
NOW = datetime(2026, 11, 28, 12)


def stored(home: Path) -> None:
    """A store of days that are over."""
    words = ["ingest", "--tz", "UTC", "--store", str(home), str(LOG)]
    subprocess.run([sys.executable, "-m", "mailscope", *words], check=True, capture_output=True)


def run_once(errand: Shipping, now: datetime) -> None:
    """Let it begin a child, wait for that, and let it see how it ended."""
    errand.step(now)
    assert errand._child is not None
    errand._child.process.wait(120)
    errand.step(now)
    assert errand._child is None


def test_nothing_is_shipped_where_nobody_asked(tmp_path: Path) -> None:
    assert shipping(Settings(), tmp_path, print) is None


def test_days_come_to_the_other_store_every_hour(tmp_path: Path) -> None:
    home, there = tmp_path / "home", tmp_path / "there"
    stored(home)
    said: list[str] = []
    errand = shipping(Settings(store=Store(ship_to=str(there))), home, said.append)
    assert errand is not None
    # What has waited for the daemon is stored first.
    errand.step(NOW)
    assert errand._child is None
    run_once(errand, NOW + errand.settled)
    assert (errand.problem, said) == ("", [])
    with duckdb.connect(str(there / "mailscope.duckdb"), read_only=True) as shipped:
        found = shipped.execute("select sum(row_count) from own.manifest where name = 'events'").fetchall()
    assert found == [(len(LOG.read_bytes().splitlines()),)]
    errand.step(NOW + errand.settled + EVERY - timedelta(seconds=1))
    assert errand._child is None
    run_once(errand, NOW + errand.settled + EVERY)


def test_what_goes_wrong_is_said_once_and_that_it_is_over(tmp_path: Path) -> None:
    home, there = tmp_path / "home", tmp_path / "there"
    stored(home)
    there.write_text("a file stands where the store should")
    said: list[str] = []
    errand = shipping(Settings(store=Store(ship_to=str(there))), home, said.append)
    assert errand is not None
    errand.settled = timedelta()
    run_once(errand, NOW)
    run_once(errand, NOW + EVERY)
    assert len(said) == 1
    assert str(there) in said[0]
    assert "tried again" in said[0] or "next try" in said[0]
    assert errand.problem
    there.unlink()
    run_once(errand, NOW + 2 * EVERY)
    assert said[1:] == ["the store is shipped again"]
    assert errand.problem == ""


def test_a_child_that_cannot_be_started(tmp_path: Path) -> None:
    said: list[str] = []
    errand = Shipping([str(tmp_path / "none")], said.append, settled=timedelta())
    errand.step(NOW)
    assert said == ["the store was not shipped: it cannot be started (No such file or directory); "
                    "the next try follows within an hour"]  # fmt: skip
