"""`mailscope serve --demo`: it starts, its page answers who is logged in, and the made-up mail is there."""

from __future__ import annotations

import http.client
import json
import re
import signal
import socket
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

# A short month: what is looked at here is that it comes up and goes away.
PROGRAM = """
import sys
from mailscope.demo import month
month.Month.__init__.__defaults__ = (None, 1, 4)
from mailscope.cli.serve import serve
serve(["--demo", "--demo-port", sys.argv[1]])
"""
PATIENCE_S = 120.0


class _Unix(http.client.HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("localhost")
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.connect(self._path)


def get(connection: http.client.HTTPConnection, path: str) -> tuple[int, str]:
    with closing(connection):
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()


@pytest.mark.slow
def test_the_demo_starts_shows_mail_and_leaves_nothing(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    said = tmp_path / "said"
    with said.open("w") as errors:
        process = subprocess.Popen([sys.executable, "-c", PROGRAM, str(port)], stderr=errors)
    try:
        until = time.monotonic() + PATIENCE_S
        while not (found := re.search(r"answering on (\S+/api\.sock)", said.read_text())):
            assert process.poll() is None, said.read_text()
            assert time.monotonic() < until, said.read_text()
            time.sleep(0.2)
        api = found[1]
        web = f"127.0.0.1:{port}"
        assert get(http.client.HTTPConnection(web), "/healthz") == (200, '{"status":"ok"}')
        status, page = get(http.client.HTTPConnection(web), "/login")
        assert status == 200
        assert 'name="password"' in page
        # Who has not logged in gets nothing else.
        assert get(http.client.HTTPConnection(web), "/messages")[0] in (303, 401)
        while True:
            told = json.loads(get(_Unix(api), "/v1/status")[1])
            if told["store"]["tables"]["messages"]["rows"] > 10:
                break
            assert time.monotonic() < until, told
            time.sleep(0.5)
        assert "/welcome?key=" in said.read_text()
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)
    assert process.returncode == 0, said.read_text()
    assert not Path(api).parent.exists()
