"""Exported events with pseudonyms: those of the same log rewritten before."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from storing import LAB, Feeder, arrivals, lab_lines

from mailscope.cli.main import mailscope
from mailscope.vocabulary.errors import UsageError

COUNT = 600


def run(*words: object) -> Result:
    done = CliRunner().invoke(mailscope, [str(word) for word in words])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done


def events(text: str) -> list[dict[str, Any]]:
    rows = [json.loads(line) for line in text.splitlines()]
    return [
        {name: value for name, value in row.items() if name not in ("source", "line_number")} for row in rows
    ]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "mail.log"
    path.write_bytes(b"".join(lab_lines()[:COUNT]))
    return path


def test_of_files(log: Path, tmp_path: Path) -> None:
    key, shown = tmp_path / "key", tmp_path / "shown.log"
    run("anonymise", "--key-file", key, log, "-o", shown)
    here = run("events", "--tz", "UTC", "--pseudonymise", "--key-file", key, log).stdout
    assert "alice" in LAB.read_text(errors="replace")
    assert "alice" not in here.lower()
    assert len(events(here)) == COUNT
    assert events(here) == events(run("events", "--tz", "UTC", shown).stdout)
    other = run("events", "--tz", "UTC", "--pseudonymise", log).stdout
    assert len(events(other)) == COUNT
    assert events(other) != events(here)


def test_of_a_store(log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store, key = tmp_path / "store", tmp_path / "key"
    feeder = Feeder(store)
    feeder.feed(*arrivals(lab_lines()[:COUNT], ()))
    feeder.close()
    asked = run("events", "--tz", "UTC", "--pseudonymise", "--key-file", key, "--store", store).stdout
    assert events(asked) == events(
        run("events", "--tz", "UTC", "--pseudonymise", "--key-file", key, log).stdout
    )
    assert "alice" in run("events", "--tz", "UTC", "--store", store).stdout
    config = tmp_path / "mailscope.toml"
    config.write_text(
        f'[privacy]\nat = "export"\naddresses = "pseudonymise"\nips = "pseudonymise"\nkeep_domains = false\nkey_file = "{key}"\n'
    )
    monkeypatch.setenv("MAILSCOPE_CONFIG", str(config))
    assert events(run("events", "--tz", "UTC", "--store", store).stdout) == events(asked)


def test_a_key_without_pseudonyms_is_refused(log: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--pseudonymise"):
        run("events", "--key-file", tmp_path / "key", log)
    assert not (tmp_path / "key").exists()
