"""The API on a unix socket, in a thread of the daemon; the kernel tells who asks (SO_PEERCRED, unix(7))."""

from __future__ import annotations

import grp
import os
import pwd
import socket
import struct
import threading
from asyncio import BaseTransport
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from mailscope.vocabulary.errors import InputError
from mailscope.web.api import Adder, api
from mailscope.web.served import Served

if TYPE_CHECKING:
    from mailscope.vocabulary.settings.outward import Api

CREDENTIALS: Final = struct.Struct("3i")


class PeerProtocol(H11Protocol):
    """HTTP whose client is the user at the other end."""

    def connection_made(self, transport: BaseTransport) -> None:
        """A client has connected."""
        super().connection_made(transport)  # type: ignore[arg-type]
        peer = transport.get_extra_info("socket")
        if peer is not None and peer.family == socket.AF_UNIX:
            packed = peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, CREDENTIALS.size)
            _, uid, _ = CREDENTIALS.unpack(packed)
            self.client = (user_name(uid), uid)


def user_name(uid: int) -> str:
    """A user's name, or the number of one without."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


class Server:
    """The socket and the thread that answers on it."""

    def __init__(self, service: Served, settings: Api, more: Sequence[Adder] = ()) -> None:
        """Begin to answer; ``more``: see ``api``.  Raises InputError where the socket cannot be made."""
        self.path = Path(settings.socket)
        self._socket = _bound(self.path, settings)
        config = uvicorn.Config(
            api(service, settings.group, more),
            http=PeerProtocol,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_keep_alive=30,
            # Clients that watch what comes would stay for ever.
            timeout_graceful_shutdown=1,
            limit_concurrency=100,
        )
        self._server = uvicorn.Server(config)
        # Signals are the daemon's.
        self._server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
        self._thread = threading.Thread(target=self._run, name="mailscope-api", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        self._server.run(sockets=[self._socket])

    def close(self) -> None:
        """Answer no more."""
        self._server.should_exit = True
        self._thread.join(timeout=10)
        self._socket.close()
        self.path.unlink(missing_ok=True)


def _bound(path: Path, settings: Api) -> socket.socket:
    """A socket at its place, for those who may ask."""
    opened = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    try:
        path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        _refuse_taken(path)
        # What a daemon that was killed has left.
        path.unlink(missing_ok=True)
        before = os.umask(0o177)
        try:
            opened.bind(str(path))
        finally:
            os.umask(before)
        uid = pwd.getpwnam(settings.owner).pw_uid if settings.owner else -1
        gid = grp.getgrnam(settings.group).gr_gid if settings.group else -1
        if uid >= 0 or gid >= 0:
            os.chown(path, uid, gid)
        path.chmod(int(settings.mode, 8))
        opened.listen(128)
    except (OSError, KeyError) as error:
        opened.close()
        if isinstance(error, KeyError):
            raise InputError(f"no such account ({error})", str(path), "see api.owner and api.group") from None
        if isinstance(error, PermissionError):
            raise InputError(
                "no permission to make the socket here", str(path), "give [api] another path, or run as root"
            ) from error
        raise InputError.from_os_error(error, path) from error
    return opened


def _refuse_taken(path: Path) -> None:
    """Raise InputError where somebody answers on the socket already."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asking:
        try:
            asking.settimeout(1.0)
            asking.connect(str(path))
        except OSError:
            return
    raise InputError("another daemon answers on it", str(path), "stop it, or give api.socket another path")
