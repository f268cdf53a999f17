"""Behind the real nginx, with the lines that docs/web.md gives: logging in, forms, and sign-on by a header."""

from __future__ import annotations

import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from authority import Authority
from entering import PASSWORD, Served
from visiting import Visitor

from mailscope.store import audit

NGINX = shutil.which("nginx", path="/usr/sbin:/usr/bin")
DOCUMENT = Path(__file__).parents[3] / "docs" / "web.md"
pytestmark = pytest.mark.skipif(NGINX is None, reason="nginx is not installed")


def documented() -> str:
    """The location of the document."""
    found = re.search(r"        location / \{.*?\n        \}", DOCUMENT.read_text(), re.DOTALL)
    assert found
    return found[0]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Served, Visitor]]:
    place = tmp_path_factory.mktemp("nginx")
    authority = Authority(place)
    certificate, key = authority.issue("127.0.0.1")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    more = 'proxies = ["127.0.0.1/32"]\nsign_on_header = "X-Remote-User"\n'
    with Served(place, more + f'url = "https://127.0.0.1:{port}"\n') as daemon:
        # As a proxy that signs people on: it takes the header away from all but those it knows.
        ours = 'proxy_set_header X-Remote-User $http_x_known;\n        proxy_set_header X-Known "";'
        location = documented().replace("http://127.0.0.1:8925", daemon.address).rstrip("}") + ours + "}"
        (place / "nginx.conf").write_text(
            f"daemon off; pid {place}/nginx.pid; error_log {place}/error.log;\nevents {{}}\nhttp {{\n"
            f"    access_log off; client_body_temp_path {place}/body; proxy_temp_path {place}/proxy;\n"
            f"    fastcgi_temp_path {place}/f; uwsgi_temp_path {place}/u; scgi_temp_path {place}/s;\n"
            f"    server {{\n        listen 127.0.0.1:{port} ssl;\n        ssl_certificate {certificate};\n"
            f"        ssl_certificate_key {key};\n{location}\n    }}\n}}\n"
        )
        daemon.start()
        daemon.wait_until_ready()
        assert NGINX is not None
        process = subprocess.Popen([NGINX, "-p", str(place), "-c", str(place / "nginx.conf")])
        try:
            until = time.monotonic() + 60
            while not (place / "nginx.pid").exists():
                assert time.monotonic() < until, (place / "error.log").read_text()
                time.sleep(0.1)
            yield daemon, Visitor(f"https://127.0.0.1:{port}", trusted=str(authority.certificate))
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)
        daemon.stop()


def test_a_person_enters_and_sends_forms(site: tuple[Served, Visitor]) -> None:
    daemon, browser = site
    link = next(word for word in daemon.errors.read_text().split() if "/welcome?key=" in word)
    assert link.startswith(browser.app)
    form = {"key": link.rpartition("=")[2], "password": PASSWORD, "again": PASSWORD}
    answer = browser.post("/welcome", form, origin=browser.app)
    assert answer.status == 303, answer.text
    assert list(browser.cookies) == ["__Host-mailscope"]
    page = browser.get("/account")
    assert page.status == 200
    assert page.header("strict-transport-security")
    assert browser.post("/account/sessions", {"csrf": page.csrf}, origin=browser.app).status == 303
    assert browser.post("/account/sessions", {"csrf": page.csrf}, origin="https://evil.example").status == 403


def test_only_the_proxy_names_people(site: tuple[Served, Visitor]) -> None:
    daemon, browser = site
    daemon.entered("opal", "operator")
    nobody = Visitor(browser.app, trusted=browser.trusted, accept="*/*")
    assert nobody.get("/v1/status", x_remote_user="opal").status == 401
    assert nobody.get("/v1/status", x_known="opal").status == 200
    assert nobody.get("/v1/status", x_known="nobody").status == 401


def test_the_client_is_told_by_the_proxy(site: tuple[Served, Visitor]) -> None:
    daemon, browser = site
    stranger = Visitor(browser.app, trusted=browser.trusted)
    stranger.post("/login", {"name": "eve", "password": "x"}, x_forwarded_for="203.0.113.9")
    entry = [entry for entry in audit.entries(daemon.store) if entry.what == "login refused"][-1]
    # nginx adds whom it sees at the end; that is one of our proxies here, so the one before it counts.
    assert entry.asked == "203.0.113.9"
