"""One connection over which messages come: TCP (RFC 6587), TLS (RFC 5425) or a unix stream socket.

Nothing here waits: a handshake goes on when the client has said its next word, and a message that has not
ended stays in its framer.  The server says when, and closes what takes too long.
"""

from __future__ import annotations

import socket
import ssl
from typing import Final

from mailscope.syslog.receiver.counts import Counts
from mailscope.syslog.receiver.framing import Framer
from mailscope.syslog.receiver.limits import Limits
from mailscope.syslog.receiver.listener import Listener
from mailscope.syslog.receiver.message import Message

# Read at once, at most and at least; TLS gives a record of at most 16 KiB at a time.
TURN_BYTES: Final = 256 << 10
_LEAST_BYTES: Final = 4 << 10
_RECORDS: Final = 16
# A connection that gives more in a turn (very short ones) gets less of the next: messages cost the time.
_TURN_MESSAGES: Final = 2000
# A peer that has gone without a word is noticed after about ten minutes (tcp(7)).
_KEEPALIVE: Final = ((socket.TCP_KEEPIDLE, 300), (socket.TCP_KEEPINTVL, 60), (socket.TCP_KEEPCNT, 5))


class Connection:
    """A connection that was accepted.

    ``handshaking``: TLS is not agreed on yet; ``wants_write``: it waits until it can send; ``ended``:
    nothing more will come; ``heard_s``: when something came last, ``begun_s``: since when a message has
    been unfinished, both on the monotonic clock.
    """

    def __init__(
        self, listener: Listener, sock: socket.socket, peer: str, counts: Counts, limits: Limits, now_s: float
    ) -> None:
        sock.setblocking(False)
        if not listener.local:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            for option, value in _KEEPALIVE:
                sock.setsockopt(socket.IPPROTO_TCP, option, value)
        self.listener = listener
        self.socket = sock
        self.peer = peer
        self.counts = counts
        self.handshaking = False
        self.wants_write = False
        self.ended = False
        self.heard_s = now_s
        self.begun_s: float | None = None
        self._share = TURN_BYTES
        self._framer = Framer(limits.message_bytes, nul=listener.local)

    @property
    def kept_bytes(self) -> int:
        """Memory that the unfinished message takes."""
        return self._framer.kept_bytes

    def secure(self, context: ssl.SSLContext) -> None:
        """Begin with TLS."""
        self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        self.handshaking = True

    def shake(self, now_us: int) -> None:
        """Go on with the handshake; it may have to wait for the client again."""
        assert isinstance(self.socket, ssl.SSLSocket)
        self.wants_write = False
        try:
            self.socket.do_handshake()
        except ssl.SSLWantReadError:
            return
        except ssl.SSLWantWriteError:
            self.wants_write = True
            return
        except (OSError, ValueError) as error:
            self.refuse("handshake", now_us, _reason(error))
            return
        self.handshaking = False
        certificates = self.listener.certificates
        shown = certificates.allowed(self.socket) if certificates is not None else None
        if shown is not None:
            self.refuse("certificate", now_us, shown)

    def refuse(self, kind: str, now_us: int, why: str = "") -> None:
        """Count why this connection is closed."""
        detail = f"{self.peer}: {why}" if self.peer and why else self.peer or why
        self.counts.add(kind, 1, now_us, detail)
        self.ended = True

    def read(self, buffer: memoryview, room: int, now_us: int, now_s: float) -> list[Message]:
        """Messages that have ended by what has come; ``room``: bytes that an unfinished one may take."""
        self.wants_write = False
        framer, frames = self._framer, []
        secure = self.listener.transport == "tls"
        # Less than a record must not be read of TLS: what is left of it would be waited for in vain.
        share = buffer if secure else buffer[: self._share]
        for _ in range(_RECORDS if secure and self._share == TURN_BYTES else 1):
            try:
                length = self.socket.recv_into(share)
            except (BlockingIOError, ssl.SSLWantReadError):
                break
            except ssl.SSLWantWriteError:
                self.wants_write = True
                break
            except OSError as error:
                self.refuse("broken", now_us, _reason(error))
                break
            if not length:
                self.ended = True
                break
            self.heard_s = now_s
            frames += framer.feed(bytes(share[:length]), room)
        many = len(frames) + framer.empty > _TURN_MESSAGES
        self._share = max(self._share // 2, _LEAST_BYTES) if many else min(self._share * 2, TURN_BYTES)
        if not framer.unfinished:
            self.begun_s = None
        elif frames or self.begun_s is None:
            self.begun_s = now_s
        return self._messages(frames, now_us)

    def finish(self, now_us: int) -> list[Message]:
        """The message that was not ended, with a mark if its length says that it is incomplete."""
        frames, incomplete = self._framer.finish()
        self.counts.add("incomplete", int(incomplete), now_us, self.peer)
        return self._messages(frames, now_us)

    def _messages(self, frames: list[bytes], now_us: int) -> list[Message]:
        counts, framer = self.counts, self._framer
        counts.messages += len(frames)
        counts.bytes += sum(map(len, frames))
        if framer.truncated or framer.malformed or framer.empty:
            counts.add("truncated", framer.truncated, now_us, self.peer)
            counts.add("malformed", framer.malformed, now_us, self.peer)
            counts.empty += framer.empty
            framer.truncated = framer.malformed = framer.empty = 0
        peer, transport = self.peer, self.listener.transport
        return [Message(peer, transport, now_us, frame) for frame in frames]


def _reason(error: Exception) -> str:
    if isinstance(error, ssl.SSLError):
        return error.reason or error.strerror or str(error)
    return getattr(error, "strerror", None) or str(error)
