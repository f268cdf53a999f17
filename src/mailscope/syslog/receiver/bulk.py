"""Many datagrams in one call of the system: recvmmsg(2), which Python does not offer.

Python lets other threads go on during every call of the system, and waits for its turn again after each; a
thread that computes meanwhile keeps it waiting for five milliseconds.  One datagram a call would then be
200 a second.  Here up to 64 come in one call, and as it never waits, no turn is given away for it.

Source: recvmmsg(2), <bits/types/struct_msghdr.h>, <netinet/in.h>; the layout is that of 64-bit Linux.
"""

from __future__ import annotations

import ctypes
import os
import socket
import struct
import sys
from collections.abc import Callable
from typing import Final, NamedTuple

MOST: Final = 64
_MEMORY_BYTES: Final = 8 << 20
_NAME_BYTES: Final = 28  # struct sockaddr_in6; a sockaddr_in has 16


class Datagram(NamedTuple):
    """``address``: the sender's, as in IP's header, empty on a unix socket; ``length``: as it was sent."""

    address: bytes
    data: bytes
    length: int


class _Iovec(ctypes.Structure):
    _fields_ = (("base", ctypes.c_void_p), ("length", ctypes.c_size_t))


class _Header(ctypes.Structure):
    """struct mmsghdr: a struct msghdr and the length of what came."""

    _fields_ = (
        ("name", ctypes.c_void_p),
        ("name_length", ctypes.c_uint32),
        ("vectors", ctypes.c_void_p),
        ("vector_count", ctypes.c_size_t),
        ("control", ctypes.c_void_p),
        ("control_length", ctypes.c_size_t),
        ("flags", ctypes.c_int),
        ("padding", ctypes.c_int),
        ("length", ctypes.c_uint),
    )


# Where the length stands in a header.
_HEADER_BYTES: Final = ctypes.sizeof(_Header)
_LENGTHS: Final = struct.Struct(f"={_Header.length.offset}xI{_HEADER_BYTES - _Header.length.offset - 4}x")


def call() -> Callable[..., int] | None:
    """The C library's function, which keeps Python's turn (PyDLL); None if there is none."""
    if sys.platform != "linux" or ctypes.sizeof(ctypes.c_void_p) != 8:
        return None
    return getattr(ctypes.PyDLL(None, use_errno=True), "recvmmsg", None)


class Bulk:
    """Reads a socket of datagrams, many at a time."""

    def __init__(self, sock: socket.socket, message_bytes: int) -> None:
        """At most ``message_bytes`` of each are kept."""
        self._socket = sock
        self._call = call()
        self._size = message_bytes
        self._count = max(1, min(MOST, _MEMORY_BYTES // message_bytes)) if self._call else 1
        self._buffer = bytearray(self._count * message_bytes)
        self._view = memoryview(self._buffer)
        self._names = bytearray(self._count * _NAME_BYTES)
        self._headers = (_Header * self._count)()
        self._vectors = (_Iovec * self._count)()
        buffer, names = (
            ctypes.addressof(ctypes.c_char.from_buffer(part)) for part in (self._buffer, self._names)
        )
        for place, (header, vector) in enumerate(zip(self._headers, self._vectors, strict=True)):
            vector.base, vector.length = buffer + place * message_bytes, message_bytes
            header.vectors, header.vector_count = ctypes.addressof(vector), 1
            header.name, header.name_length = names + place * _NAME_BYTES, _NAME_BYTES
        # Of the address proper: sin_addr stands behind family and port, sin6_addr behind the flow label too.
        self._address = {socket.AF_INET: slice(4, 8), socket.AF_INET6: slice(8, 24)}.get(sock.family)

    def read(self) -> list[Datagram]:
        """Those that are there, as many as fit; none if there are none.  Raises OSError."""
        if self._call is None:
            return self._read_one()
        flags = socket.MSG_DONTWAIT | socket.MSG_TRUNC
        count = self._call(self._socket.fileno(), self._headers, self._count, flags, None)
        if count < 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
        out, size, view, names, address = [], self._size, self._view, self._names, self._address
        told = ctypes.string_at(self._headers, count * _HEADER_BYTES)
        for place, (length,) in enumerate(_LENGTHS.iter_unpack(told)):
            start = place * size
            data = bytes(view[start : start + min(length, size)])
            name = b""
            if address is not None:
                begin = place * _NAME_BYTES
                name = bytes(names[begin + address.start : begin + address.stop])
            out.append(Datagram(name, data, length))
        return out

    def _read_one(self) -> list[Datagram]:
        length, sender = self._socket.recvfrom_into(self._buffer, self._size, socket.MSG_TRUNC)
        name = socket.inet_pton(self._socket.family, sender[0].partition("%")[0]) if self._address else b""
        return [Datagram(name, bytes(self._view[: min(length, self._size)]), length)]
