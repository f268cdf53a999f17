"""An own detection in the daemon: read again on SIGHUP, its findings told with its own advice."""

from __future__ import annotations

import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path

from serving import Daemon

TEXT = """
name = "own_logins"
title = "{account} fails"
description = "d."
advice = "Lock it."
events = ["login_failed"]
group_by = ["account"]
at_least = 3
"""


def lines(user: str) -> str:
    begin = datetime.now(UTC) - timedelta(hours=1)
    return "".join(
        f"{(begin + timedelta(seconds=second)).isoformat()} mx postfix/smtpd[17]: warning: unknown[203.0.113.9]: SASL LOGIN "
        f"authentication failed: UGFzc3dvcmQ6, sasl_username={user}@example.org\n"
        for second in range(3)
    )


def test_it_is_read_on_sighup_and_a_faulty_one_stops_nothing(tmp_path: Path) -> None:
    own = tmp_path / "detections.d"
    own.mkdir()
    (own / "bad.toml").write_text("name = 3\n")
    daemon = Daemon(tmp_path)
    daemon.config.write_text(daemon.config.read_text() + f'[detections]\nown = "{own}"\n')
    daemon.log.write_text(lines("anna"))
    daemon.start()
    try:
        daemon.wait_for(3)
        daemon.wait_for_words(
            f"a detection of your own is left out: {own}/bad.toml, line 1: 'name' cannot be 3"
        )
        (own / "own_logins.toml").write_text(TEXT)
        daemon.send(signal.SIGHUP)
        daemon.wait_for_words("settings read again")
        with daemon.log.open("a") as log:
            log.write(lines("bert"))
        daemon.wait_for(6)
        listed = daemon.ask("findings", "list", "--state", "all").stdout
        # Anna's lines were seen before it was there.
        assert [line for line in listed.splitlines() if "fails" in line] == ["WARNING bert@example.org fails"]
        name = listed.split("[")[1][:16]
        assert "Lock it." in daemon.ask("findings", "show", name).stdout
    finally:
        assert daemon.stop() == 0
