"""What a process did that concerns mail, out of its calls: files of queues, sockets, programs, mailboxes.

In: the calls of one file.  Out: deeds, in the order of the calls.  Descriptors are followed as each process
opens and closes them; those that were open before the trace began are known only where -y tells them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

from mailscope.steps.strace.arguments import ends, internet, number, string, strings, unix_path
from mailscope.steps.strace.calls import Call, Trace
from mailscope.steps.strace.places import QUEUE_ID, Place, place_of, socket_of

# Postfix's attributes on its sockets: name, zero byte, value, zero byte.
_NAMED: Final = re.compile(rf"(?:^|\0)queue_id\0({QUEUE_ID.pattern})\0")
_STATUS: Final = re.compile(r"(?:^|\0)status\0(-?[0-9]{1,9})\0")
# To syslog: <22>Nov 22 04:33:04 postfix/pickup[3626]: TEXT
_LOGGED: Final = re.compile(
    r"<[0-9]{1,3}>[A-Z][a-z]{2} [ 0-9]{2} [0-9:]{8} (?:[^\s/\[]*/)+([a-z-]+)(?:\[[0-9]+\]: (.*))?", re.DOTALL
)
# What a program that delivers to mailboxes opens beside them.
_NO_MAILBOX: Final = re.compile(r"/(?:dev|etc|proc|sys|run|var/run|tmp|usr)/|.*\.lock$|/var/log/.*")
_IN_MAILDIR: Final = re.compile(r".*/new/[^/]+")
DNS_PORT: Final = 53


@dataclass(slots=True, eq=False)
class Deed:
    """``kind``: forked (``child``), executed (``text``: the program; ``words``: its arguments), exited, made,
    opened, removed, moved (``place`` to ``to``), connected and accepted (``text``: private/smtp;
    ``service``), asked and heard (bytes over a connection), named (``text``: a queue id was told on it),
    answered (``text``: a status), reached (``text``: host; ``port``), client (the same), mailbox, logged
    (``text``; ``service``: the program as logged), stored (the file is whole and on disk).

    ``deed``: the connection that bytes went over.  ``mail``: the id of the message that it belongs to, filled
    in by ``owners``; ``sure``: whether a line says so.  ``met``: the acceptance of a connection, or the
    connection of an acceptance (``programs.meet``).
    """

    kind: str
    call: Call
    trace: Trace
    place: Place | None = None
    to: Place | None = None
    text: str = ""
    service: str = ""
    port: int = 0
    child: int | None = None
    words: list[str] = field(default_factory=list)
    inodes: tuple[str, str | None] | None = None
    deed: Deed | None = None
    met: Deed | None = None
    until: float | None = None
    at: int = 0
    mail: str | None = None
    sure: bool = True
    failed: bool = False
    flags: str = ""

    @property
    def pid(self) -> int:
        """Of the process."""
        return self.call.pid

    @property
    def time(self) -> float | None:
        """When: of what waits for another (accept, a read), when it was over."""
        return self.call.over if self.kind in ("accepted", "named", "answered") else self.call.time


class Deeds:
    """The deeds of one trace."""

    def __init__(self, trace: Trace) -> None:
        self.trace = trace
        # By process: what a descriptor is.
        self.open: dict[int, dict[int, Deed]] = {}

    def all(self) -> Iterator[Deed]:
        """In the order in which the calls were over."""
        for call in self.trace.calls:
            reader = _READERS.get(call.name)
            found = reader(self, call) if reader is not None else None
            if found is not None:
                yield found

    def deed(self, kind: str, call: Call) -> Deed:
        """A deed of a call, still without what it was done to."""
        return Deed(kind, call, self.trace)

    def descriptors(self, pid: int) -> dict[int, Deed]:
        """Those of a process."""
        return self.open.setdefault(pid, {})


def _failed(call: Call) -> bool:
    return call.result.startswith(("-1", "?"))


def _path(call: Call, first: int) -> str | None:
    """The path in an argument; relative ones are taken as they are, as Postfix stays in its directory."""
    return string(call.arguments[first]) if first < len(call.arguments) else None


def _fork(deeds: Deeds, call: Call) -> Deed | None:
    child = number(call.result)
    # A thread is no process of its own.
    if child is None or child <= 0 or any("CLONE_THREAD" in part for part in call.arguments):
        return None
    deed = deeds.deed("forked", call)
    deed.child = child
    return deed


def _execute(deeds: Deeds, call: Call) -> Deed | None:
    first = 1 if call.name == "execveat" else 0
    path = _path(call, first)
    if _failed(call) or path is None:
        return None
    deed = deeds.deed("executed", call)
    deed.text = path
    deed.words = strings(call.arguments[first + 1]) if len(call.arguments) > first + 1 else []
    deeds.open[call.pid] = {}
    return deed


def _exit(deeds: Deeds, call: Call) -> Deed | None:
    deed = deeds.deed("exited", call)
    deed.text = ", ".join(call.arguments)
    return deed


def _open(deeds: Deeds, call: Call) -> Deed | None:
    first = 0 if call.name in ("open", "creat") else 1
    path = _path(call, first)
    flags = "O_CREAT|O_WRONLY" if call.name == "creat" else ",".join(call.arguments[first + 1 :])
    if _failed(call) or path is None or "O_DIRECTORY" in flags:
        return None
    descriptor = number(call.result)
    deed: Deed | None = None
    if place := place_of(path):
        deed = deeds.deed("made" if "O_CREAT" in flags and place.holds_mail else "opened", call)
        deed.place, deed.flags = place, flags
    elif socket := socket_of(path):
        deed = deeds.deed("connected", call)
        deed.text, deed.service = socket
    elif "O_APPEND" in flags and path.startswith("/") and not _NO_MAILBOX.match(path):
        deed = deeds.deed("mailbox", call)
        deed.text = path
    if deed is not None and descriptor is not None:
        deeds.descriptors(call.pid)[descriptor] = deed
    return deed


def _close(deeds: Deeds, call: Call) -> Deed | None:
    descriptor = number(call.arguments[0])
    gone = deeds.descriptors(call.pid).pop(descriptor, None) if descriptor is not None else None
    if gone is not None:
        gone.until = call.over
    return None


def _duplicate(deeds: Deeds, call: Call) -> Deed | None:
    """The same socket or file under another descriptor, too."""
    if call.name.startswith("fcntl") and (len(call.arguments) < 2 or "F_DUPFD" not in call.arguments[1]):
        return None
    old, new = number(call.arguments[0]), number(call.result)
    held = deeds.descriptors(call.pid).get(old) if old is not None else None
    if held is not None and new is not None and new >= 0:
        deeds.descriptors(call.pid)[new] = held
    return None


def _move(deeds: Deeds, call: Call) -> Deed | None:
    first, second = (0, 1) if call.name in ("rename", "link") else (1, 3)
    if _failed(call) or len(call.arguments) <= second:
        return None
    old, new = _path(call, first), _path(call, second)
    one, two = place_of(old), place_of(new)
    if two is not None and (one is not None or not call.name.startswith("rename")):
        deed = deeds.deed("moved", call)
        deed.place, deed.to = one, two
        return deed
    if new is not None and two is None and _IN_MAILDIR.fullmatch(new):
        deed = deeds.deed("mailbox", call)
        deed.text = new
        return deed
    return None


def _remove(deeds: Deeds, call: Call) -> Deed | None:
    place = place_of(_path(call, 1 if call.name == "unlinkat" else 0))
    if _failed(call) or place is None:
        return None
    deed = deeds.deed("removed", call)
    deed.place = place
    return deed


def _connect(deeds: Deeds, call: Call) -> Deed | None:
    descriptor = number(call.arguments[0])
    address = call.arguments[1] if len(call.arguments) > 1 else ""
    waiting = "EINPROGRESS" in call.result
    deed: Deed | None = None
    if socket := socket_of(unix_path(address)):
        deed = deeds.deed("connected", call)
        deed.text, deed.service = socket
    elif peer := internet(address):
        deed = deeds.deed("reached", call)
        deed.text, deed.port = peer
    if deed is None or descriptor is None:
        return None
    deed.failed = _failed(call) and not waiting
    known = ends(call.arguments[0])
    deed.inodes = known[:2] if known else None
    if not deed.failed:
        deeds.descriptors(call.pid)[descriptor] = deed
    return deed


def _accept(deeds: Deeds, call: Call) -> Deed | None:
    descriptor = number(call.result)
    if descriptor is None or descriptor < 0:
        return None
    deed = deeds.deed("accepted", call)
    known = ends(call.result)
    if known:
        deed.inodes = known[:2]
    told = ends(call.arguments[0])
    if socket := socket_of((known and known[2]) or (told and told[2]) or None):
        deed.text, deed.service = socket
    deeds.descriptors(call.pid)[descriptor] = deed
    return deed


def _peer(deeds: Deeds, call: Call) -> Deed | None:
    peer = internet(call.arguments[1]) if len(call.arguments) > 1 and not _failed(call) else None
    if peer is None:
        return None
    deed = deeds.deed("client", call)
    deed.text, deed.port = peer
    return deed


def _stored(deeds: Deeds, call: Call) -> Deed | None:
    """Postfix marks a queue file that is whole by making it executable (mail_stream_finish_file())."""
    descriptor = number(call.arguments[0])
    held = deeds.descriptors(call.pid).get(descriptor) if descriptor is not None else None
    if held is None or held.place is None or not held.place.holds_mail or len(call.arguments) < 2:
        return None
    mode = call.arguments[1]
    if _failed(call) or not mode.isdecimal() or not int(mode, 8) & 0o100:
        return None
    deed = deeds.deed("stored", call)
    deed.place = held.place
    return deed


def _traffic(deeds: Deeds, call: Call) -> Deed | None:
    """Bytes over a descriptor: a line for the log, an id, or one more question on a socket."""
    if _failed(call) or not call.arguments:
        return None
    sent = call.name.startswith(("write", "send"))
    text = string(call.arguments[1]) if len(call.arguments) > 1 else None
    if sent and text and (found := _LOGGED.match(text)):
        deed = deeds.deed("logged", call)
        deed.service = found[1]
        deed.text = found[2] or ""
        # A program's name that -s cut short is no name.
        deed.failed = found[2] is None
        return deed
    descriptor = number(call.arguments[0])
    over = deeds.descriptors(call.pid).get(descriptor) if descriptor is not None else None
    if over is not None and over.kind not in ("connected", "accepted"):
        return None
    if text and (found := _NAMED.search(text)):
        deed = deeds.deed("named", call)
        deed.text, deed.deed = found[1], over
        deed.flags = "sent" if sent else "read"
        return deed
    if over is None or over.kind != "connected":
        return None
    if text and not sent and (found := _STATUS.search(text)):
        deed = deeds.deed("answered", call)
        deed.text, deed.deed, deed.service = found[1], over, over.service
        return deed
    deed = deeds.deed("asked" if sent else "heard", call)
    deed.deed, deed.text, deed.service = over, over.text, over.service
    return deed


Reader = Callable[[Deeds, Call], Deed | None]
_READERS: Final[dict[str, Reader]] = {
    **dict.fromkeys(("clone", "clone2", "clone3", "fork", "vfork"), _fork),
    **dict.fromkeys(("execve", "execveat"), _execute),
    "exit_group": _exit,
    **dict.fromkeys(("open", "openat", "openat2", "creat"), _open),
    "close": _close,
    **dict.fromkeys(("fcntl", "fcntl64", "dup", "dup2", "dup3"), _duplicate),
    **dict.fromkeys(("rename", "renameat", "renameat2", "link", "linkat"), _move),
    **dict.fromkeys(("unlink", "unlinkat"), _remove),
    "connect": _connect,
    **dict.fromkeys(("accept", "accept4"), _accept),
    "getpeername": _peer,
    "fchmod": _stored,
    **dict.fromkeys(
        ("read", "recv", "recvfrom", "recvmsg", "write", "writev", "send", "sendto", "sendmsg"), _traffic
    ),
}
