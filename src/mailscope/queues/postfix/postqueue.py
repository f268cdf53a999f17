"""The queue as ``postqueue -p`` (mailq) and ``postqueue -j`` print it, byte for byte, without Postfix.

Sources: showq.c, showq_compat.c and showq_json.c of Postfix 3.7.  The order is that in which the file system
gives the files, as showq(8) has it.  Files that are still being written, or that have no sender, are left out
as there.
"""

from __future__ import annotations

import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Final

from mailscope.queues.entry import Spool
from mailscope.queues.postfix import config, places, queuefile
from mailscope.queues.postfix.addresses import shown
from mailscope.queues.postfix.deferlog import DeferLogs
from mailscope.queues.postfix.places import ACTIVE, EXPIRE, HOLD, READY
from mailscope.queues.postfix.reader import files
from mailscope.queues.postfix.records import RECIPIENT

JSON: Final = "json"
# duplicate_filter_limit: recipients of a defer log that are remembered, so as not to be listed twice.
REMEMBERED: Final = 1000
_MARKS: Final = {ACTIVE: "*", HOLD: "!"}


@dataclass(slots=True)
class Listed:
    """One message as showq(8) tells it."""

    queue: str
    queue_id: str
    arrival_time: int
    size_bytes: int
    forced_expire: bool
    sender: bytes
    recipients: list[tuple[bytes, bytes]]


def lines(spool: Spool, words: Sequence[str]) -> Iterator[bytes]:
    """The listing, as text, or as JSON where ``words`` says so."""
    if JSON in words:
        yield from map(_json, listed(spool))
        return
    long = _long(spool)
    count = size = 0
    for message in listed(spool):
        if count:
            yield b""
        elif long:
            yield b"----Queue ID----- --Size-- ---Arrival Time---- --Sender/Recipient------"
        else:
            yield b"-Queue ID-  --Size-- ----Arrival Time---- -Sender/Recipient-------"
        yield from _text(message, long, spool)
        count, size = count + 1, size + message.size_bytes
    if not count:
        yield b"Mail queue is empty"
        return
    yield b""
    yield b"-- %d Kbytes in %d Request%s." % (size // 1024, count, b"" if count == 1 else b"s")


def listed(spool: Spool) -> Iterator[Listed]:
    """The messages, as showq(8) goes through them."""
    logs = DeferLogs(spool.place)
    for queue, name, path in files(spool):
        try:
            status, envelope = queuefile.read(path)
            ready = stat.S_ISREG(status.st_mode) and status.st_mode & stat.S_IRWXU == READY
            if not ready or envelope.sender is None:
                continue
            logged = logs.read(name)
        except FileNotFoundError:
            continue
        except OSError as error:
            spool.tell(f"{path}: {error.strerror}")
            continue
        reasons = [] if logged is None else [(each.recipient, each.reason) for each in logged[1]]
        told = set(islice(dict.fromkeys(address for address, _ in reasons), REMEMBERED))
        todo = (shown(each.address) for each in envelope.recipients if each.kind == RECIPIENT)
        yield Listed(
            queue,
            name,
            int(envelope.arrival_time or status.st_mtime),
            status.st_size if envelope.size_bytes is None else envelope.size_bytes,
            bool(status.st_mode & EXPIRE),
            shown(envelope.sender),
            reasons + [(address, b"") for address in todo if address not in told],
        )


def _long(spool: Spool) -> bool:
    """Whether columns are made for long queue ids: as main.cf says; of a copy, whether it has such ids."""
    settings = config.of(spool.place, spool.config)
    if settings.directory is not None:
        return settings.long_queue_ids
    return any(places.is_long(name) for _, name, _ in files(spool))


def _text(message: Listed, long: bool, spool: Spool) -> Iterator[bytes]:
    mark = _MARKS.get(message.queue, "") + ("#" if message.forced_expire else "")
    came = datetime.fromtimestamp(message.arrival_time, spool.zone).ctime()
    told = f"{message.queue_id}{mark}"
    head = (
        f"{told:<17} {message.size_bytes:>8} {came[:19]:>19} "
        if long
        else f"{told:<11} {message.size_bytes:>7} {came[:20]:>20} "
    )
    yield head.encode() + message.sender
    indent, saved = b" " * (47 if long else 41), b""
    for address, reason in message.recipients:
        if reason != saved:
            saved = reason
            yield b"%*s" % (78, b"(%s)" % (reason or b"reason unavailable"))
        yield indent + address


def _json(message: Listed) -> bytes:
    told = []
    for address, reason in message.recipients:
        why = b', "delay_reason": "%s"' % _quoted(reason) if reason else b""
        told.append(b'{"address": "%s"%s}' % (_quoted(address), why))
    return (
        b'{"queue_name": "%s", "queue_id": "%s", "arrival_time": %d, "message_size": %d, '
        b'"forced_expire": %s, "sender": "%s", "recipients": [%s]}'
    ) % (
        message.queue.encode(),
        message.queue_id.encode(),
        message.arrival_time,
        message.size_bytes,
        b"true" if message.forced_expire else b"false",
        _quoted(message.sender),
        b", ".join(told),
    )


def _quoted(text: bytes) -> bytes:
    """A string of JSON (json_quote); control characters are ``?`` already."""
    return text.replace(b"\\", b"\\\\").replace(b'"', b'\\"')
