"""Seals: what is kept of a batch of lines so that a change of any of them can be found, and named.

A record is a line of JSON: number of the batch, number of its first line (counted from the first of the
archive), how many lines and bytes, when, the hash of the bytes, four bytes of tag per line, and the seal: the
keyed hash over all of this.  The key tells which batch it is, so that none can stand in another's place.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from dataclasses import dataclass, replace
from typing import Any, Final

from mailscope.syslog.archive.keys import HASH, Working

TAG_BYTES: Final = 4
# Longer than any record that is written: what a reader takes in at most.
LONGEST: Final = 16 << 20
_NUMBERS: Final = ("batch", "line", "lines", "size")


@dataclass(frozen=True)
class Record:
    """One batch, as its seal knows it.  ``time``: ISO 8601, UTC; ``tags``: ``TAG_BYTES`` for each line."""

    batch: int
    line: int
    lines: int
    size: int
    time: str
    digest: bytes
    tags: bytes
    seal: bytes

    def written(self) -> bytes:
        """The record as a line of its file."""
        fields: dict[str, Any] = {name: getattr(self, name) for name in _NUMBERS}
        fields |= {
            "time": self.time,
            "digest": self.digest.hex(),
            "tags": base64.b64encode(self.tags).decode(),
            "seal": self.seal.hex(),
        }
        return json.dumps(fields, separators=(",", ":")).encode() + b"\n"

    def tag(self, place: int) -> bytes:
        """The tag of a line, counted from 0 within the batch."""
        return self.tags[place * TAG_BYTES : (place + 1) * TAG_BYTES]


def parsed(text: bytes) -> Record | None:
    """The record of a line; None where it is none."""
    try:
        fields = json.loads(text)
        batch, line, lines, size = (fields[name] for name in _NUMBERS)
        if not all(type(number) is int and 0 <= number < 1 << 63 for number in (batch, line, lines, size)):
            return None
        tags = base64.b64decode(fields["tags"], validate=True)
        digest, seal = bytes.fromhex(fields["digest"]), bytes.fromhex(fields["seal"])
        record = Record(batch, line, lines, size, str(fields["time"]), digest, tags, seal)
    except (ValueError, KeyError, TypeError, binascii.Error, RecursionError):
        return None
    whole = len(digest) == len(seal) == hashlib.sha256().digest_size
    return record if whole and len(tags) == record.lines * TAG_BYTES else None


def tag(key: bytes, number: int, line: bytes) -> bytes:
    """The tag of a line of that number, its line feed included."""
    return hmac.digest(key, b"%d %b" % (number, line), HASH)[:TAG_BYTES]


def made(data: bytes, batch: int, first: int, time: str, keys: Working) -> Record:
    """Seal a batch.  ``first``: the number of its first line."""
    lines = split(data)
    tags = b"".join([tag(keys.lines, number, line) for number, line in enumerate(lines, first)])
    digest = hashlib.sha256(data).digest()
    record = Record(batch, first, len(lines), len(data), time, digest, tags, b"")
    return replace(record, seal=seal_of(record, keys))


def seal_of(record: Record, keys: Working) -> bytes:
    """The seal that a record should have."""
    numbers = (record.batch, record.line, record.lines, record.size)
    head = b"%d %d %d %d %b\n" % (*numbers, record.time.encode("utf-8", "surrogatepass"))
    return hmac.digest(keys.seal, head + record.digest + record.tags, HASH)


def split(data: bytes) -> list[bytes]:
    """Lines with their line feeds; the last one may lack it."""
    lines = data.split(b"\n")
    last = lines.pop()
    whole = [line + b"\n" for line in lines]
    return [*whole, last] if last else whole
