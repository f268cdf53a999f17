"""The progress bar: only on a terminal, only when the work is long, and never a wrong total."""

from __future__ import annotations

import io
import sys
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from mailscope.cli import progress
from mailscope.intake.reader import ReadReport, Source
from mailscope.intake.sources import Sources


class Terminal(io.StringIO):
    """A standard error that is a terminal."""

    def isatty(self) -> bool:
        return True


def sources(*sizes: int | None) -> Sources:
    files = [Source(f"log.{n}", f"log.{n}", "log", n, None, size, "none") for n, size in enumerate(sizes)]
    return Sources(files, ZoneInfo("UTC"), datetime(2026, 11, 23))


def test_bytes_of_all_sources_are_added_up() -> None:
    reading = sources(1000, 500)
    reading.reports["log.0"] = ReadReport(bytes_read_compressed=600)
    reading.reports["log.1"] = ReadReport(bytes_read_compressed=50)
    assert progress.bytes_done(reading) == 650
    assert progress.total_bytes(reading) == 1500


def test_total_is_unknown_where_one_source_is_a_pipe() -> None:
    assert progress.total_bytes(sources(1000, None)) is None


def test_nothing_is_shown_where_it_is_no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    monkeypatch.setattr(progress, "PATIENCE_S", 0.0)
    with progress.progress(sources(10)):
        pass
    assert sys.stderr.getvalue() == ""  # type: ignore[attr-defined]


def test_short_work_shows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", Terminal())
    with progress.progress(sources(10)):
        pass
    assert sys.stderr.getvalue() == ""  # type: ignore[attr-defined]


def test_long_work_shows_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    monkeypatch.setattr(sys, "stderr", Terminal())
    monkeypatch.setattr(progress, "PATIENCE_S", 0.01)
    monkeypatch.setattr(progress, "REFRESH_S", 0.01)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    reading = sources(2048)
    reading.reports["log.0"] = ReadReport(bytes_read_compressed=1024)
    with progress.progress(reading):
        time.sleep(0.6)
    assert "Reading" in sys.stderr.getvalue()  # type: ignore[attr-defined]
    assert "1.0/2.0 KiB" in sys.stderr.getvalue()  # type: ignore[attr-defined]


def test_an_error_ends_the_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", Terminal())
    monkeypatch.setattr(progress, "PATIENCE_S", 0.0)
    with pytest.raises(ValueError, match="over"), progress.progress(sources(10)):
        raise ValueError("over")
