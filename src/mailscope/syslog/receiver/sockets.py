"""Sockets of the operating system: bound, made large, asked what they dropped, removed."""

from __future__ import annotations

import os
import socket
import stat
import struct
from typing import Final

# Asked of the kernel for datagrams; without privilege it gives net.core.rmem_max.
BUFFER_BYTES: Final = 32 << 20
# Linux, socket(7) and <linux/sock_diag.h>: the socket's figures, of which the ninth is what was dropped.
_SO_RCVBUFFORCE: Final = 33
_SO_MEMINFO: Final = 55
_MEMINFO: Final = struct.Struct("9I")
_DROPS: Final = 8


def dropped(sock: socket.socket) -> int | None:
    """How many datagrams the kernel has dropped at a socket (modulo 2^32); None where it does not tell."""
    try:
        return int(_MEMINFO.unpack(sock.getsockopt(socket.SOL_SOCKET, _SO_MEMINFO, _MEMINFO.size))[_DROPS])
    except (OSError, struct.error):
        return None  # before Linux 4.12


def bound(address: str, port: int, kind: socket.SocketKind) -> socket.socket:
    """A socket at an IP address and port.  Raises OSError."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    made = socket.socket(family, kind)
    try:
        if kind == socket.SOCK_STREAM:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            # "::" is every address of this host, as administrators expect it to be.
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0 if address == "::" else 1)
        made.bind((address, port))
    except BaseException:
        made.close()
        raise
    return made


def bound_to_path(path: str, kind: socket.SocketKind, mode: int) -> socket.socket:
    """A unix socket with a file of that mode, in place of one that nobody has open.  Raises OSError."""
    clear(path, kind)
    made = socket.socket(socket.AF_UNIX, kind)
    try:
        made.bind(path)
        os.chmod(path, mode)
    except BaseException:
        made.close()
        raise
    return made


def clear(path: str, kind: socket.SocketKind) -> None:
    """Remove the socket that a process which has ended left behind; one that is in use stays."""
    try:
        if not stat.S_ISSOCK(os.lstat(path).st_mode):
            return  # bind says that it exists
    except FileNotFoundError:
        return
    with socket.socket(socket.AF_UNIX, kind) as asking:
        asking.setblocking(False)
        try:
            asking.connect(path)
        except ConnectionRefusedError:
            os.unlink(path)
        except OSError:
            return  # of another kind, or full: in use


def enlarge(sock: socket.socket) -> None:
    """Give it room for datagrams that wait to be read."""
    try:
        sock.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, BUFFER_BYTES)
    except OSError:  # only the privileged may go over the system's limit
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_BYTES)
