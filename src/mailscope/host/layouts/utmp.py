"""Records of logins: utmp, wtmp and btmp, told apart by what is in them.

    struct utmp (utmp(5), glibc's bits/utmp.h)     384 bytes    400 bytes
      short  ut_type                                  0            0     (two bytes of padding behind it) int
      ut_pid                                   4            4 char   ut_line[32]
      8            8 char   ut_id[4]                                40           40 char   ut_user[32]
      44           44 char   ut_host[256]                            76           76 short
      ut_exit.e_termination, .e_exit         332          332 long   ut_session
      336 (int32)  336 (int64) struct timeval ut_tv                          340 (2*4)    344 (2*8) int
      ut_addr_v6[4]                          348          360     (network byte order; IPv4 in the first) char
      __unused[20]                           364          376

The 384-byte layout is that of x86, x86-64 and of whatever runs programs of 32 bits beside those of 64; the
other one is that of aarch64, s390x and others.  Both exist in either byte order.

Seconds of 32 bits are read without sign, so that they last until 2106.  Texts need not end with a zero byte.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

EMPTY: Final = 0
RUN_LVL: Final = 1
BOOT_TIME: Final = 2
NEW_TIME: Final = 3
OLD_TIME: Final = 4
INIT_PROCESS: Final = 5
LOGIN_PROCESS: Final = 6
USER_PROCESS: Final = 7
DEAD_PROCESS: Final = 8
ACCOUNTING: Final = 9
MOST_TYPE: Final = ACCOUNTING

# Name, what struct calls it in the 384-byte layout, and in the one with 64-bit times.
FIELDS: Final = (
    ("type", "h", "h"),
    ("padding", "H", "H"),
    ("pid", "i", "i"),
    ("line", "32s", "32s"),
    ("id", "4s", "4s"),
    ("user", "32s", "32s"),
    ("host", "256s", "256s"),
    ("termination", "h", "h"),
    ("exit", "h", "h"),
    ("session", "i", "q"),
    ("seconds", "I", "q"),
    ("microseconds", "i", "q"),
    ("address", "16s", "16s"),
)
LOOKED_AT: Final = 16  # records, to tell the layout


@dataclass(frozen=True)
class Layout:
    """One way in which records lie in a file: ``order`` is struct's sign of the byte order."""

    order: str
    wide: bool

    @property
    def name(self) -> str:
        """What people are told: its size and byte order."""
        return f"{self.size} bytes, {'big' if self.order == '>' else 'little'}-endian"

    @property
    def size(self) -> int:
        """Bytes of a record."""
        return 400 if self.wide else 384

    @property
    def codes(self) -> list[tuple[str, str]]:
        """Name of each field and what struct calls it."""
        return [(name, wide if self.wide else narrow) for name, narrow, wide in FIELDS]

    @cached_property
    def struct(self) -> struct.Struct:
        """The record as Python's struct takes it apart."""
        form = "".join(code for _name, code in self.codes)
        # Without alignment by itself, which is no more than these bytes here.
        return struct.Struct(f"{self.order}{form}{self.size - struct.calcsize(self.order + form)}x")


LAYOUTS: Final = (Layout("<", False), Layout("<", True), Layout(">", True), Layout(">", False))


@dataclass(frozen=True, slots=True)
class Record:
    """One record, as it is in the file; texts end before their first zero byte."""

    type: int
    padding: int
    pid: int
    line: bytes
    id: bytes
    user: bytes
    host: bytes
    termination: int
    exit: int
    session: int
    seconds: int
    microseconds: int
    address: bytes

    @property
    def is_damaged(self) -> bool:
        """It holds what no program writes: an unknown type, padding, a second of a million parts or more."""
        known = 0 <= self.type <= MOST_TYPE and not self.padding
        return not (known and 0 <= self.microseconds < 1_000_000)


def unpack(layout: Layout, data: bytes | memoryview, offset: int = 0) -> Record:
    """The record at an offset."""
    values: tuple[Any, ...] = tuple(_text(value) for value in layout.struct.unpack_from(data, offset))
    return Record(*values)


def sniff(head: bytes) -> Layout | None:
    """Tell the layout from the first bytes of a file; None for what holds no records of logins.

    In: at least one record, better sixteen.  The layout is the one in which most of them make sense; one of
    them at least has to hold something.
    """
    best: tuple[int, Layout] | None = None
    for layout in LAYOUTS:
        score = _score(layout, head[: LOOKED_AT * layout.size])
        if score and (best is None or score > best[0]):
            best = score, layout
    return best[1] if best else None


def may_begin(head: bytes) -> bool:
    """Whether a file that begins so could be one of logins, from its first four bytes.

    One whose first record is empty is passed over: what begins with zero bytes is more often a log with a
    hole.
    """
    return len(head) >= 4 and head[2:4] == b"\0\0" and 0 in head[:2] and 0 < max(head[:2]) <= MOST_TYPE


def _score(layout: Layout, head: bytes) -> int:
    """How many records make sense; 0 where more than every fourth makes none."""
    good = full = 0
    count = len(head) // layout.size
    for number in range(count):
        record = unpack(layout, head, number * layout.size)
        sound = _makes_sense(record)
        good += sound
        full += sound and record.type != EMPTY
    return good if full and good >= count * 3 // 4 else 0


def _makes_sense(record: Record) -> bool:
    texts = record.line + record.id
    # A record of a boot needs no user; one of type 0 is all zeros, or one that was given up.
    filled = record.type == EMPTY or (record.seconds > 0 and bool(texts or record.user))
    return not record.is_damaged and filled and all(32 <= byte < 127 for byte in texts)


def _text(value: int | bytes) -> int | bytes:
    # The address is no text: zeros are part of it.
    return value.partition(b"\0")[0] if isinstance(value, bytes) and len(value) != 16 else value
