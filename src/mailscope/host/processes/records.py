"""Records of process accounting (acct(5)): versions 0 to 4, in either byte order, mixed in a file.

    version 3 (64 bytes)                         versions 0 and 2, 1 (64 bytes)      2     1
      0 flag, 1 version (128: big-endian)          0 flag, 1 version
      2 tty    u16                                 uid16, gid16, tty   u16           2,4,6
      4 exit status u32                            btime u32                          8
      8 uid, 12 gid, 16 pid, 20 ppid  u32          utime, stime, etime  comp_t       12..
     24 btime  u32, seconds since 1970             mem, io, rw, minflt, majflt, swaps comp_t 18..28
     28 etime  float, ticks                        ahz u16                           30    -
     32 utime, stime, mem, io, rw, minflt,         exit status u32                   32    30 (see below)
        majflt, swaps  comp_t                      comm[17]                          36    34
     48 comm[16]                                   etime_hi u8, etime_lo u16     53,54   51,52
                                                   uid, gid  u32                 56,60   54,58

comp_t is 13 bits of a number and 3 bits of an exponent of 8; version 2 also has comp2_t, 19 bits after a
leading 1 and 5 bits of an exponent of 2.  Times are in ticks: 100 a second in version 3, as told by the
record in version 2, else 100.  ``mem`` is the average size in KiB, ``io`` the characters read and written.  A
record is written when a process ends, so that they are in the order of ends.  Version 4 is 3 with a second
half, whose version is 5; that half is passed over.

Sources: acct(5), Linux' include/uapi/linux/acct.h and kernel/acct.c, GNU acct 6.6.4's pacct_rd.c and
linux-acct.h, whose table of places this is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt

from mailscope.host.binary import Binary
from mailscope.vocabulary.errors import InputError

Records = npt.NDArray[np.void]
Numbers = npt.NDArray[np.float64]

SIZE: Final = 64
BLOCK_RECORDS: Final = 1 << 16
TICKS: Final = 100
FORKED, SUPERUSER, COMPATIBLE, DUMPED, KILLED = 0x01, 0x02, 0x04, 0x08, 0x10
SECOND_HALF: Final = 5
_KNOWN: Final = (0, 1, 2, 3, 4, SECOND_HALF)
_BIG_ENDIAN: Final = 0x80

_COMP = ("utime", "stime", "mem", "io", "rw", "minflt", "majflt", "swaps")
# Name, type without its byte order, place; of each form.
_NEW: Final = (
    ("flag", "u1", 0), ("version", "u1", 1), ("tty", "u2", 2), ("exitcode", "u4", 4), ("uid", "u4", 8),
    ("gid", "u4", 12), ("pid", "u4", 16), ("ppid", "u4", 20), ("btime", "u4", 24), ("etime", "f4", 28),
    *((name, "u2", 32 + 2 * place) for place, name in enumerate(_COMP)), ("comm", "S16", 48),
)  # fmt: skip
_OLD: Final = (
    ("flag", "u1", 0), ("version", "u1", 1), ("uid16", "u2", 2), ("gid16", "u2", 4), ("tty", "u2", 6),
    ("btime", "u4", 8), ("utime", "u2", 12), ("stime", "u2", 14), ("etime16", "u2", 16), ("mem", "u2", 18),
    ("io", "u2", 20), ("rw", "u2", 22), ("minflt", "u2", 24), ("majflt", "u2", 26), ("swaps", "u2", 28),
)  # fmt: skip
_V2: Final = (
    *_OLD, ("ahz", "u2", 30), ("exitcode", "u4", 32), ("comm", "S16", 36), ("etime_hi", "u1", 53),
    ("etime_lo", "u2", 54), ("uid", "u4", 56), ("gid", "u4", 60),
)  # fmt: skip
_V1: Final = (
    *_OLD, ("exitcode", "u4", 30), ("comm", "S16", 34), ("etime_hi", "u1", 51), ("etime_lo", "u2", 52),
    ("uid", "u4", 54), ("gid", "u4", 58),
)  # fmt: skip
_FORMS: Final = {0: _V2, 1: _V1, 2: _V2, 3: _NEW, 4: _NEW}


def _dtype(form: Any, order: str) -> np.dtype[np.void]:
    names, kinds, places = zip(*form, strict=True)
    formats = [kind if kind[0] == "S" or kind == "u1" else order + kind for kind in kinds]
    return np.dtype({"names": list(names), "formats": formats, "offsets": list(places), "itemsize": SIZE})


DTYPES: Final = {
    (version, order): _dtype(form, order) for version, form in _FORMS.items() for order in ("<", ">")
}


@dataclass(frozen=True)
class Processes:
    """Some records as columns: times in ticks, of which there are ``ahz`` in a second."""

    flag: npt.NDArray[np.uint8]
    version: npt.NDArray[np.uint8]
    tty: npt.NDArray[np.uint16]
    exitcode: npt.NDArray[np.uint32]
    uid: npt.NDArray[np.uint32]
    gid: npt.NDArray[np.uint32]
    pid: npt.NDArray[np.uint32]
    ppid: npt.NDArray[np.uint32]
    btime: npt.NDArray[np.int64]
    etime: Numbers
    utime: Numbers
    stime: Numbers
    mem: Numbers
    io: Numbers
    minflt: Numbers
    majflt: Numbers
    swaps: Numbers
    comm: npt.NDArray[np.bytes_]
    ahz: Numbers

    def __len__(self) -> int:
        return len(self.flag)

    def chosen(self, mask: Any) -> Processes:
        """Those that a mask, slice or list of places picks."""
        return Processes(*(getattr(self, name)[mask] for name in Processes.__dataclass_fields__))

    @property
    def cpu_s(self) -> Numbers:
        """Seconds of the processor, of the user's and the system's code."""
        return np.asarray((self.utime + self.stime) / self.ahz)


class AccountingFile:
    """An open file of process accounting.

    In: a path; ticks of a second for records that do not tell.  Raises InputError where it cannot be read, or
    where no record has a version that is known.  ``problems`` tells what was skipped.
    """

    def __init__(self, path: str, ahz: int = TICKS) -> None:
        self.binary = Binary(path)
        self.name = self.binary.name
        self.count = self.binary.size // SIZE
        self._ahz = ahz
        self._unknown = 0
        self._first_unknown = -1
        head = np.frombuffer(self.binary.read(0, 64 * SIZE), dtype=np.uint8)
        versions = head[1::SIZE] & 0x7F
        if len(head) and not np.isin(versions, _KNOWN).any():
            self.binary.close()
            raise InputError("it holds no records of processes", self.name, "name a pacct file")

    @property
    def problems(self) -> list[InputError]:
        """What was damaged or skipped."""
        out = list(self.binary.problems)
        if self._unknown:
            what = f"{self._unknown} records of a version that does not exist skipped, the first at byte"
            out.append(InputError(f"{what} {self._first_unknown}", self.name))
        if rest := self.binary.size % SIZE:
            out.append(InputError(f"the last record is cut: {rest} bytes of it are there", self.name))
        return out

    def raw(self, first: int = 0) -> Iterator[bytes]:
        """Whole records as they are stored, some at a time, from one on."""
        for start in range(first, self.count, BLOCK_RECORDS):
            yield self.binary.read(start * SIZE, min(BLOCK_RECORDS, self.count - start) * SIZE)

    def blocks(self, first: int = 0) -> Iterator[Processes]:
        """The records in the file's order, from one on."""
        at = first
        for data in self.raw(first):
            yield self._taken(data, at)
            at += BLOCK_RECORDS

    def backwards(self) -> Iterator[Processes]:
        """The same, the last one first."""
        for start in reversed(range(0, self.count, BLOCK_RECORDS)):
            data = self.binary.read(start * SIZE, min(BLOCK_RECORDS, self.count - start) * SIZE)
            yield self._taken(data, start).chosen(slice(None, None, -1))

    def close(self) -> None:
        """Let go of the file."""
        self.binary.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _taken(self, data: bytes, first: int) -> Processes:
        kinds = np.frombuffer(data, dtype=np.uint8)[1::SIZE]
        distinct = np.unique(kinds)
        unknown = np.flatnonzero(~np.isin(kinds & 0x7F, _KNOWN))
        if len(unknown):
            self._first_unknown = (
                (first + int(unknown[0])) * SIZE if not self._unknown else self._first_unknown
            )
            self._unknown += len(unknown)
        if len(distinct) == 1 and int(distinct[0]) & 0x7F in _FORMS:
            return columns(data, int(distinct[0]), self._ahz)
        parts, places = [], []
        matrix = np.frombuffer(data, dtype=np.uint8).reshape(-1, SIZE)
        for kind in distinct.tolist():
            if kind & 0x7F in _FORMS:
                which = np.flatnonzero(kinds == kind)
                parts.append(columns(matrix[which].tobytes(), kind, self._ahz))
                places.append(which)
        if not parts:
            return columns(b"", 3, self._ahz)
        order = np.argsort(np.concatenate(places), kind="stable")
        joined = (
            np.concatenate([getattr(part, name) for part in parts]) for name in Processes.__dataclass_fields__
        )
        return Processes(*(column[order] for column in joined))


def columns(data: bytes, kind: int, ahz: int) -> Processes:
    """Records of one version and byte order as columns."""
    version = kind & 0x7F
    raw = np.frombuffer(data, dtype=DTYPES[version, ">" if kind & _BIG_ENDIAN else "<"])
    count = len(raw)
    new = version in (3, 4)
    told = raw["ahz"].astype(np.float64) if version in (0, 2) else np.zeros(count)
    told[told == 0] = TICKS if version == 3 else ahz
    uid, gid = raw["uid"].astype(np.uint32), raw["gid"].astype(np.uint32)
    if version == 0:
        old = ((uid & 0xFFFF) != raw["uid16"]) | ((gid & 0xFFFF) != raw["gid16"])
        uid, gid = np.where(old, raw["uid16"], uid), np.where(old, raw["gid16"], gid)
    none = np.zeros(count, dtype=np.uint32)
    return Processes(
        flag=raw["flag"],
        version=(raw["version"] & 0x7F).astype(np.uint8),
        tty=raw["tty"].astype(np.uint16),
        exitcode=raw["exitcode"].astype(np.uint32),
        uid=uid,
        gid=gid,
        pid=raw["pid"].astype(np.uint32) if new else none,
        ppid=raw["ppid"].astype(np.uint32) if new else none,
        btime=raw["btime"].astype(np.int64),
        etime=_elapsed(raw, version),
        utime=comp(raw["utime"]),
        stime=comp(raw["stime"]),
        mem=comp(raw["mem"]),
        io=comp(raw["io"]),
        minflt=comp(raw["minflt"]),
        majflt=comp(raw["majflt"]),
        swaps=comp(raw["swaps"]),
        comm=raw["comm"],
        ahz=told,
    )


_COMP_T: Final = ((np.arange(1 << 16) & 0x1FFF) << (3 * (np.arange(1 << 16) >> 13))).astype(np.float64)


def comp(values: npt.NDArray[Any]) -> Numbers:
    """Numbers of comp_t: 13 bits, and 3 bits that say by which power of 8 they are multiplied."""
    return np.asarray(_COMP_T[values])


def comp2(values: npt.NDArray[np.int64]) -> Numbers:
    """Numbers of comp2_t: 19 bits behind a leading 1, and 5 bits of an exponent of 2."""
    mantissa, exponent = values & 0x7FFFF, values >> 19
    full = np.where(exponent > 0, mantissa | 0x80000, mantissa)
    return np.asarray(full * np.exp2(np.maximum(exponent - 1, 0)))


def _elapsed(raw: Records, version: int) -> Numbers:
    if version in (3, 4):
        return raw["etime"].astype(np.float64)
    if version == 2:
        high, low = raw["etime_hi"].astype(np.int64), raw["etime_lo"].astype(np.int64)
        elapsed = comp2(low | high << 16)
    else:
        elapsed = comp(raw["etime16"])
    # GNU acct keeps it as a float of 32 bits.
    return elapsed.astype(np.float32).astype(np.float64)
