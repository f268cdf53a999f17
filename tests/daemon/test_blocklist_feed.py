"""The blocklist as the daemon gives it: to the command, on its socket and over TCP with a token."""

from __future__ import annotations

import http.client
import json
import signal
import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path

from serving import Daemon

from mailscope.store.calling import Connection

ATTACK = Path(__file__).parents[1] / "data" / "detections" / "brute_force" / "fires.log"
TOKEN = "c2VjcmV0"


def asked(connection: http.client.HTTPConnection, query: str, **headers: str) -> tuple[int, str, str | None]:
    """Status, body and ETag."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request("GET", f"/v1/blocklist?{query}", headers=named)
    answer = connection.getresponse()
    told = answer.status, answer.read().decode(), answer.headers["etag"]
    connection.close()
    return told


def test_what_the_daemon_found_is_listed(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as found:
        port = int(found.getsockname()[1])
    (tmp_path / "token").write_text(TOKEN + "\n")
    more = (
        f'[metrics]\nenabled = true\nport = {port}\ntoken_file = "{tmp_path}/token"\n'
        "[blocking]\nhours = 100\nfeed = true\n"
    )
    daemon = Daemon(tmp_path)
    daemon.config.write_text(daemon.config.read_text() + more)
    yesterday = datetime.now(UTC) - timedelta(days=1)
    daemon.log.write_bytes(
        ATTACK.read_bytes().replace(b"Mar  3", f"{yesterday:%b} {yesterday.day:2}".encode())
    )
    daemon.start()
    with daemon:
        daemon.wait_for(len(ATTACK.read_bytes().splitlines()))
        text = daemon.ask("blocklist", "--format", "hosts").stdout
        assert text.splitlines()[-1] == "ALL: 203.0.113.9"
        assert daemon.ask("blocklist", "--spare", "203.0.113.0/24").stdout == ""
        local = Connection(tmp_path / "api.sock")
        status, body, name = asked(local, "")
        assert (status, json.loads(body)["network"]) == (200, "203.0.113.9/32")
        assert '"blocklist"' in (daemon.store / "audit.jsonl").read_text()
        assert asked(local, "format=exe")[0] == 400
        outside = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        assert asked(outside, "")[0] == 401
        shown = f"Bearer {TOKEN}"
        assert asked(outside, "", Authorization=shown) == (200, body, name)
        assert asked(outside, "", Authorization=shown, If_None_Match=f'"other", {name}') == (304, "", name)
        assert asked(outside, "format=exe", Authorization=shown)[0] == 400
        daemon.config.write_text(daemon.config.read_text().replace("feed = true", "feed = false"))
        daemon.send(signal.SIGHUP)
        daemon.wait_for_words("settings read again")
        status, body, _ = asked(outside, "", Authorization=shown)
        assert (status, json.loads(body)["what_to_do"]) == (400, "set feed in [blocking]")
        daemon.stop()
