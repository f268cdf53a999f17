"""What SIGHUP does with the host's own logs: they are looked for again."""

from __future__ import annotations

from pathlib import Path

import pytest

from mailscope.daemon.feeds import feeds
from mailscope.intake.discover import discover
from mailscope.vocabulary.settings.settings import Settings


def test_logs_that_the_host_writes_since_are_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "var/log").mkdir(parents=True)
    log = tmp_path / "var/log/mail.log"
    monkeypatch.setattr("mailscope.daemon.feeds.discover", lambda: discover(tmp_path))
    told: list[str] = []
    first = feeds(Settings(), {}, told.append)
    log.write_text("")
    (tmp_path / "etc/syslog.conf").write_text("mail.*\t-/var/log/mail.log\n")
    second = feeds(Settings(), {}, told.append)
    for feed in (*first, *second):
        feed.close()
    assert (len(first), len(second)) == (0, 1)
    assert any("mail.log" in words and "syslog.conf" in words for words in told)
