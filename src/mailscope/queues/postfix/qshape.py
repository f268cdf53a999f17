"""The shape of a queue, as qshape(1) prints it: messages by domain and age, byte for byte, without Postfix.

Source: auxiliary/qshape/qshape.pl of Postfix 3.7, whose rules are followed to the letter: which files count,
how a domain is written, buckets, widths.  Rows with the same number and length of name come in no order there
(that of a Perl hash); here they are sorted.  A file whose first record is none of its kinds counts there,
too: as a message from MAILER-DAEMON without recipients, and of greatest age; so ``-s maildrop`` shows such.
"""

from __future__ import annotations

import math
import re
import stat
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Final

from mailscope.queues.entry import QueueEntry, Spool
from mailscope.queues.postfix import places, queuefile, through
from mailscope.queues.postfix.reader import readable
from mailscope.queues.postfix.records import RECIPIENT, SIZE

TOTAL: Final = "TOTAL"
NOBODY: Final = "MAILER-DAEMON"
DEFAULT_QUEUES: Final = (places.INCOMING, places.ACTIVE)
NARROWEST: Final = 80
DOMAIN_WIDTH: Final = 18
_NAME: Final = re.compile(r"[A-Za-z0-9]{6,}")
# Owner may do all, group and others neither write nor run it (a stat of 0700 under the mask 0733).
_MASK, _MODE = 0o733, 0o700
_FIRST: Final = frozenset(b"CSF")
_ENDS: Final = re.compile(r"\.?(.+?)\.?$", re.DOTALL)
_PARENT: Final = re.compile(r"\.?[^.]+\.(.*\.)", re.DOTALL)


@dataclass(frozen=True)
class Options:
    """qshape's: ``-s -p -m -b -t -l -w``.  ``tick`` in minutes."""

    senders: bool = False
    parents: bool = False
    least_subdomains: int = 5
    buckets: int = 10
    tick: int = 5
    linear: bool = False
    width: int = NARROWEST


@dataclass
class Shape:
    """Counts by domain: of all ages first, then of each bucket."""

    options: Options
    now: float
    counts: dict[str, list[int]] = field(default_factory=dict)
    subdomains: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    messages: int = 0

    def __post_init__(self) -> None:
        self._row(TOTAL)
        self._names: dict[bytes, list[str]] = {}

    def add(self, arrival_time: float, addresses: list[bytes]) -> None:
        """Count a message: under its sender, or once for each recipient."""
        bucket = self._bucket(arrival_time)
        for address in addresses:
            self._count(TOTAL, bucket)
            new = False
            for name in self._domains(address):
                known = self._count(name, bucket) > 1
                if new:
                    self.subdomains[name] += 1
                new = not known
        self.messages += 1

    def lines(self, top: int = 0) -> list[str]:
        """The table; ``top``: at most so many rows, 0 for all."""
        heads, widths = self._columns()
        wide = max(DOMAIN_WIDTH, self.options.width - sum(widths))
        found = [_row("", wide, heads, widths)]
        shown = 0
        for name in sorted(self.counts, key=lambda name: (-self.counts[name][0], len(name), name)):
            if name.startswith(".") and self.subdomains[name] < self.options.least_subdomains:
                continue
            shown += 1
            if top and shown > top:
                break
            found.append(_row(name, wide, [str(count) for count in self.counts[name]], widths))
        return found

    def _columns(self) -> tuple[list[str], list[int]]:
        """Heads and widths of the columns of numbers."""
        heads, widths = [], []
        edge = 0
        for place, total in enumerate(self.counts[TOTAL]):
            head = "T" if place == 0 else str(edge)
            if place == self.options.buckets and place:
                head = f"{edge}+"
            longest = max(len(head), len(str(total)))
            heads.append(head)
            widths.append(longest + 1 if longest > 2 else 3)
            if place + 1 < self.options.buckets:
                edge += edge if edge and not self.options.linear else self.options.tick
        return heads, widths

    def _row(self, name: str) -> list[int]:
        row = self.counts.get(name)
        if row is None:
            row = self.counts[name] = [0] * (self.options.buckets + 1)
        return row

    def _count(self, name: str, bucket: int) -> int:
        row = self._row(name)
        row[0] += 1
        row[bucket] += 1
        return row[0]

    def _bucket(self, arrival_time: float) -> int:
        ticks = (self.now - arrival_time) / (60 * self.options.tick)
        if ticks < 1:
            return 1
        bucket = int(ticks + 1) if self.options.linear else 2 + int(math.log(ticks) / math.log(2))
        return min(bucket, self.options.buckets)

    def _domains(self, address: bytes) -> list[str]:
        """The domain of an address, and its parents where they are wanted."""
        if not address:
            return [NOBODY]
        domain = address.rpartition(b"@")[2]
        names = self._names.get(domain)
        if names is None:
            # A character for each byte, as lengths are counted so.
            name = _ENDS.sub(r"\1", domain.lower().decode("latin-1").replace("..", "."), count=1)
            names = self._names[domain] = [name]
            while self.options.parents and (found := _PARENT.match(name)) is not None:
                name = f".{found[1]}{name[found.end() :]}"
                names.append(name)
        return names


def read(spool: Spool, queues: tuple[str, ...], shape: Shape) -> Iterator[int]:
    """Count the messages of queues (names below the spool, or paths); after each, how many there were."""
    asked = replace(spool, queues=queues)
    if spool.asking and not readable(asked) and through.answers(asked):
        yield from _told(shape, through.read(asked))
        return
    tell = spool.tell
    for queue in queues:
        for name, path in places.names(spool.place / queue, tell):
            if not _NAME.fullmatch(name):
                continue
            try:
                status, envelope = queuefile.read(path)
            except FileNotFoundError:
                continue
            except OSError as error:
                tell(f"{path}: {error.strerror}")
                continue
            if not stat.S_ISREG(status.st_mode) or status.st_mode & _MASK != _MODE:
                continue
            if _add(shape, envelope, status.st_mtime):
                yield shape.messages


def _told(shape: Shape, entries: Iterator[QueueEntry]) -> Iterator[int]:
    """Count messages as the MTA's program tells them."""
    for entry in entries:
        # qshape does not count what was told to expire: its file has another mode.
        if entry.forced_expire:
            continue
        whom = [each.recipient for each in entry.recipients]
        if shape.options.senders:
            whom = [entry.sender or ""]
        shape.add(entry.arrival_time or 0, [each.encode("utf-8", "surrogateescape") for each in whom])
        yield shape.messages


def _add(shape: Shape, envelope: queuefile.Envelope, changed: float) -> bool:
    """Count a file; whether it counts."""
    if envelope.first not in _FIRST:
        shape.add(0, [b""] if shape.options.senders else [])
        return True
    recipients = [each.address for each in envelope.recipients if each.kind == RECIPIENT]
    if not envelope.whole or envelope.sender is None or not recipients:
        return False
    came = envelope.arrival_time if envelope.first == SIZE else changed
    if came is None:
        return False
    shape.add(int(came), [envelope.sender] if shape.options.senders else recipients)
    return True


def _row(name: str, wide: int, cells: list[str], widths: list[int]) -> str:
    if len(name) > wide:
        name = (
            f".+{name[len(name) - wide + 2 :]}"
            if name.startswith(".")
            else f"+{name[len(name) - wide + 1 :]}"
        )
    return name.rjust(wide) + "".join(cell.rjust(width) for cell, width in zip(cells, widths, strict=True))
