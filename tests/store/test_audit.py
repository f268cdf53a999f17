"""Who looks at somebody's data in a store is written down first."""

from __future__ import annotations

import stat
import threading
from datetime import datetime
from pathlib import Path

import pytest
from click.testing import CliRunner
from storing import Feeder, arrivals, lab_lines

from mailscope.cli.main import mailscope
from mailscope.store import audit
from mailscope.vocabulary.errors import OutputError


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("audited") / "store"
    feeder = Feeder(place)
    feeder.feed(*arrivals(lab_lines()[:400], ()))
    feeder.writer.checkpoint()
    feeder.close()
    return place


def run(*words: str) -> str:
    done = CliRunner().invoke(mailscope, words)
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.stdout


@pytest.mark.parametrize(
    ("words", "asked"),
    [
        (("trace", "Alice@lab.example"), ("trace", "Alice@lab.example")),
        (("about", "127.0.0.0/8"), ("about", "127.0.0.0/8")),
        (("sql", "select 1 as one"), ("sql", "select 1 as one")),
        (("events", "--event", "queued", "--limit", "1"), ("events", "event=")),
    ],
)
def test_look_ups_are_entered(
    store: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], asked: tuple[str, str]
) -> None:
    monkeypatch.setenv("SUDO_USER", "alice")
    run(*words, "--store", str(store))
    last = audit.entries(store)[-1]
    assert (last.what, last.asked[: len(asked[1])]) == asked
    assert last.who.endswith(" (alice)")
    assert stat.S_IMODE((store / audit.FILE).stat().st_mode) == 0o640
    assert f"{last.what}: {last.asked}" in run("store", "audit", "--store", str(store))


def test_a_look_up_that_cannot_be_entered_is_refused(store: Path) -> None:
    count = len(audit.entries(store))
    kept = (store / audit.FILE).rename(store / "kept")
    (store / audit.FILE).mkdir()
    try:
        for words in (
            ("trace", "alice@lab.example"),
            ("sql", "select 1"),
            ("events",),
            ("about", "192.0.2.1"),
        ):
            with pytest.raises(OutputError, match="not answered"):
                run(*words, "--store", str(store))
        # Numbers name nobody who was asked for.
        for words in (("report",), ("coverage",), ("store", "status")):
            assert run(*words, "--store", str(store))
    finally:
        (store / audit.FILE).rmdir()
        kept.rename(store / audit.FILE)
    assert len(audit.entries(store)) == count


def test_old_questions_go_while_others_are_written(tmp_path: Path) -> None:
    old = '{"time": "2020-01-01T00:00:00+00:00", "who": "a", "what": "trace", "asked": "b"}\n'
    (tmp_path / audit.FILE).write_text(old * 50 + "half a li\n")
    writers = [
        threading.Thread(target=lambda: [audit.enter(tmp_path, "x", "trace", "y") for _ in range(20)])
        for _ in range(3)
    ]
    for each in writers:
        each.start()
    assert audit.trim(tmp_path, datetime(2021, 1, 1)) == 50
    for each in writers:
        each.join()
    found = audit.entries(tmp_path)
    assert [entry.what for entry in found].count("trace") == 60
    assert [entry.asked for entry in found if entry.what == "damaged"] == ["half a li"]
    assert len(audit.entries(tmp_path, datetime(2100, 1, 1))) == 1
    assert not list(tmp_path.glob("*.renewed"))
