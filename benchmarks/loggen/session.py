"""One client's connection to smtpd, from connect to disconnect (`src/smtpd/smtpd.c`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loggen.truth import ACCEPTED, CONNECTED, DISCONNECTED, LOST, TIMED_OUT, TLS, Tag
from mailscope.demo.ciphers import CIPHERS

if TYPE_CHECKING:
    from loggen.site import Site


class Session:
    """A session under way; `time_us` is its own clock, which only goes forward."""

    def __init__(self, site: Site, service: str, client: str, time_us: int, warning: str = "") -> None:
        self.site = site
        self.service = service
        self.client = client
        self.time_us = time_us
        self._pool = site.pool(f"postfix/{service}")
        self._process = self._pool.take(site.now)
        if warning:  # the client's name is looked up before the connection is logged
            self.log(warning)
            self.time_us += 40
        self.log(f"connect from {client}", (CONNECTED, service))

    def wait(self, least_us: int, spread_us: int) -> None:
        """Let some time pass."""
        self.time_us += least_us + int(self.site.chance() * spread_us)

    def log(self, text: str, tag: Tag = None) -> None:
        """Log a line of this session's process."""
        self.site.add(self.time_us, self._process[0] + text, tag)

    def encrypt(self) -> None:
        """Log that the client speaks TLS."""
        text = f"Anonymous TLS connection established from {self.client}: {self.site.draw(CIPHERS)}"
        self.log(text, (TLS, self.service))

    def accept(self, attributes: str = "", kind: str = "") -> tuple[str, int]:
        """Give the client's message a queue id; returns it with its inode."""
        queue_id, inode = self.site.queue_id(self.time_us)
        self.time_us += 100
        self.log(f"{queue_id}: client={self.client}{attributes}", (ACCEPTED, kind or self.service))
        return queue_id, inode

    def lose(self, stage: str) -> None:
        """Log that the client went away."""
        self.log(f"lost connection after {stage} from {self.client}", (LOST, stage.partition(" ")[0]))
        self.time_us += 100

    def time_out(self, stage: str) -> None:
        """Log that the client fell silent."""
        self.log(f"timeout after {stage} from {self.client}", (TIMED_OUT, stage))
        self.time_us += 100

    def end(self, counts: str) -> None:
        """Log the end with the client's commands; the process is free for another client."""
        self.log(f"disconnect from {self.client} {counts}", (DISCONNECTED, self.service))
        self._pool.give_back(self._process, self.time_us)
