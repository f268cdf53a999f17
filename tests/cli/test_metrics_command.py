"""``mailscope metrics`` and what belongs to it."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner
from metering import log_lines, number, series, utc_now

from mailscope.cli.metrics import metrics
from mailscope.watch.metrics.dashboard import dashboard
from mailscope.watch.metrics.shipped import rules


def run(*words: str) -> str:
    done = CliRunner().invoke(metrics, list(words), catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


def test_rules_and_dashboard_are_printed_as_they_are() -> None:
    assert run("rules") == rules()
    assert json.loads(run("dashboard")) == dashboard()


def test_figures_of_a_store_that_was_loaded_by_hand(tmp_path: Path) -> None:
    """Of old logs too: they are all that the store holds, and nothing else is meant."""
    from mailscope.cli.ingest import ingest

    log = tmp_path / "mail.log"
    old = utc_now().replace(year=utc_now().year - 1, day=1)
    log.write_text("".join(f"{line}\n" for serial in range(3) for line in log_lines(old, serial)))
    done = CliRunner().invoke(ingest, ["--store", str(tmp_path / "store"), str(log)], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    for form in ((), ("--format", "text")):
        found = series(run("--store", str(tmp_path / "store"), *form))
        assert number(found, "mailscope_delivery_attempts_total", status="sent") == 3
        assert number(found, "mailscope_store_rows", table="events") == 3 * len(log_lines(old))
        assert not any(name.startswith(("mailscope_daemon", "process")) for name, _ in found)
    assert run("--store", str(tmp_path / "store"), "--format", "openmetrics").endswith("# EOF\n")


def test_without_a_store_it_is_said(tmp_path: Path) -> None:
    done = CliRunner().invoke(metrics, ["--store", str(tmp_path / "none")])
    assert done.exit_code != 0
    assert "there is no store" in str(done.exception)
