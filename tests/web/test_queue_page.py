"""The page of the queue, read from a spool."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from siting import Site, running

from mailscope.queues.postfix.config import Config
from mailscope.vocabulary.settings.settings import Settings


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, lab: Path) -> Iterator[Site]:
    settings = Settings.model_validate({"web": {"spool": str(lab / "spool")}})
    with running(tmp_path_factory.mktemp("site"), [], settings) as found:
        yield found


def held(site: Site) -> set[str]:
    rows = json.loads(site.get("/queue?table=queue&format=json"))
    return {row["queue_id"] for row in rows}


def test_postqueue_is_asked_where_the_spool_may_not_be_read(
    site: Site, lab: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stand-in prints what the real one did."""
    program = tmp_path / "postqueue"
    program.write_text(f"#!/bin/sh\ncat '{lab}/golden/postqueue-j.json'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    settings = Config(tmp_path, {"queue_directory": str(lab / "spool")})
    monkeypatch.setattr("mailscope.queues.postfix.config.of", lambda *_: settings)
    told = {
        json.loads(line)["queue_id"] for line in (lab / "golden/postqueue-j.json").read_text().splitlines()
    }
    assert held(site) == told
    assert "postqueue was asked" not in site.get("/queue")
    real = os.access
    closed = lab / "spool"
    monkeypatch.setattr(
        os, "access", lambda path, *how, **more: path != closed / Path(path).name and real(path, *how, **more)
    )
    assert held(site) == told
    assert "postqueue was asked" in site.get("/queue")
    # One that cannot be asked is no empty queue: what the logs tell is shown, and why.
    program.write_text("#!/bin/sh\necho 'postqueue: fatal: you may not' >&2\nexit 69\n")
    assert "you may not" in site.get("/queue")
