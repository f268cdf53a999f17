"""A real blocklist for tests: Debian's rbldnsd on a port of loopback, with zones that a test writes."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from pathlib import Path
from tempfile import mkdtemp

import pytest

from mailscope.watch.dnsbl.lists import Blocklist, known_refusals
from mailscope.watch.dnsbl.resolver import Resolver

RBLDNSD = shutil.which("rbldnsd") or "/usr/sbin/rbldnsd"
GOOD = "127.0.0.2:2:our list\n127.0.0.2\n"


class Rbldnsd:
    """A server of some zones: name -> (kind of data set, its lines)."""

    def __init__(self, zones: dict[str, tuple[str, str]]) -> None:
        if not os.access(RBLDNSD, os.X_OK):
            pytest.skip("Debian's rbldnsd is not installed")
        # It gives up root, and cannot read what only root may.
        self.place = Path(mkdtemp(prefix="rbldnsd-"))
        self.place.chmod(0o755)
        for zone, (_, lines) in zones.items():
            self.write(zone, lines)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        account = () if os.getuid() else ("-u", "nobody")
        self.process = subprocess.Popen(
            [RBLDNSD, "-n", "-f", "-c", "1", *account, "-b", f"127.0.0.1/{self.port}", "-w", str(self.place),
             *(f"{zone}:{kind}:{zone}" for zone, (kind, _) in zones.items())],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        )  # fmt: skip
        until = time.monotonic() + 20
        while self.resolver().ask(f"2.0.0.127.{next(iter(zones))}.").failure:
            assert self.process.poll() is None, self.process.communicate()[1]
            assert time.monotonic() < until

    def write(self, zone: str, lines: str) -> None:
        """Change a zone; it is read again within a second or two."""
        beside = self.place / f"{zone}.new"
        beside.write_text(
            "$SOA 60 ns.example.org host.example.org 0 600 300 86400 60\n$NS 60 ns.example.org\n" + lines
        )
        beside.replace(self.place / zone)

    def wait_for(self, name: str, codes: tuple[str, ...]) -> None:
        """Until it answers so."""
        until = time.monotonic() + 20
        while self.resolver().ask(name).codes != codes:
            assert time.monotonic() < until
            time.sleep(0.1)

    def resolver(self, timeout_s: float = 2.0) -> Resolver:
        return Resolver("127.0.0.1", self.port, timeout_s, 1)

    def list(self, zone: str, **more: object) -> Blocklist:
        """A list of ours in a zone of it."""
        plain = {
            "of": ("ipv4", "ipv6"),
            "refusals": known_refusals(),
            "link": "https://list.example/",
            **more,
        }
        return Blocklist(zone, zone, nameserver="127.0.0.1", port=self.port, **plain)  # type: ignore[arg-type]

    def close(self) -> None:
        self.process.terminate()
        self.process.wait(10)
        shutil.rmtree(self.place)
