"""The envelope in an Exim -H file: who it is from and for, who has it already, whether it is frozen.

Source: spool_read_header() and read_nonrecipients_tree() of spool_in.c, Exim 4.96.  A file is of no use to
Exim where its envelope is wrong; here, what stands before the fault is told all the same.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

MOST_BYTES: Final = 64 << 20
# So many recipients Exim takes for the most that a file may hold.
MOST_RECIPIENTS: Final = 16_384
_ACL: Final = re.compile(rb"--?acl[cm] [^ ]* ([0-9]{1,9})$|--?acl [0-9]{1,2} ([0-9]{1,5})$")
_TIMES: Final = re.compile(rb"(-?[0-9]{1,18}) (-?[0-9]{1,9})\n?$")
_NODE: Final = re.compile(rb"([YN])([YN]) ([^\n]*)$")
_LENGTH: Final = re.compile(rb"([0-9]{3,9})(.) ?", re.DOTALL)
# What may stand behind a recipient, read from the right: see spool_read_header().
_EXIM_3: Final = re.compile(rb"(.*) [0-9]+,[0-9]+,[0-9]+$", re.DOTALL)
_EXIM_4_EARLY: Final = re.compile(rb"(.*) [0-9]+$", re.DOTALL)
_FLAGS: Final = re.compile(rb"(.*)#([0-9]{1,4})$", re.DOTALL)
_COUNT: Final = re.compile(rb"[0-9]{1,6}")


class WrongError(Exception):
    """The file is not as Exim writes it; the text says where."""


@dataclass
class Header:
    """``options``: the lines that begin with a dash, by name.  ``done``: addresses that have the message.

    ``size_bytes``: of the header as it is sent.  ``fault``: what is wrong; ``in_header``: only behind the
    envelope.
    """

    login: bytes = b""
    sender: bytes | None = None
    arrival_time: int | None = None
    warnings: int = 0
    options: dict[bytes, bytes] = field(default_factory=dict)
    done: set[bytes] = field(default_factory=set)
    recipients: list[bytes] = field(default_factory=list)
    lines: list[bytes] = field(default_factory=list)
    size_bytes: int = 0
    fault: str = ""
    in_header: bool = False

    @property
    def frozen_at(self) -> int | None:
        """Since when it is frozen."""
        since = self.options.get(b"frozen")
        return int(since) if since is not None and since.isdigit() and len(since) < 19 else None


def parse(data: bytes, name: bytes) -> Header:
    """Read a -H file; ``name``: as it must be called in its first line."""
    found = Header()
    lines = _Lines(data)
    try:
        _envelope(found, lines, name)
        found.in_header = True
        _header(found, lines)
        found.in_header = False
    except WrongError as wrong:
        found.fault = str(wrong)
    return found


class _Lines:
    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def next(self, what: str) -> bytes:
        """The next line, without its end.  Raises WrongError where there is none."""
        end = self.data.find(b"\n", self.at)
        if end < 0:
            raise WrongError(f"it ends before {what}")
        line = self.data[self.at : end]
        self.at = end + 1
        return line

    def take(self, count: int, what: str) -> bytes:
        """So many bytes.  Raises WrongError where there are fewer."""
        taken = self.data[self.at : self.at + count]
        if len(taken) < count:
            raise WrongError(f"it ends within {what}")
        self.at += count
        return taken


def _envelope(found: Header, lines: _Lines, name: bytes) -> None:
    if lines.next("its own name") != name:
        raise WrongError("its first line is not its name")
    parts = lines.next("the login").rsplit(b" ", 2)
    if len(parts) != 3:
        raise WrongError("its second line is no login, uid and gid")
    found.login = parts[0]
    sender = lines.next("the sender")
    if len(sender) < 2 or not (sender.startswith(b"<") and sender.endswith(b">")):
        raise WrongError("its third line is no sender")
    found.sender = sender[1:-1]
    times = _TIMES.match(lines.next("the time"))
    if times is None:
        raise WrongError("its fourth line is no time")
    found.arrival_time, found.warnings = int(times[1]), int(times[2])
    line = lines.next("the recipients")
    while line.startswith(b"-"):
        _option(found, line, lines)
        line = lines.next("the recipients")
    if line != b"XX":
        _tree(found, line, lines)
    _recipients(found, lines)


def _option(found: Header, line: bytes, lines: _Lines) -> None:
    """``-name value``; two dashes where strangers had a hand in the value."""
    if acl := _ACL.match(line):
        # The value of such a variable is any bytes, and a line feed.
        lines.take(int(acl[1] or acl[2]) + 1, "the value of a variable")
        return
    name, _, value = line.lstrip(b"-").partition(b" ")
    found.options[name] = value


def _tree(found: Header, line: bytes, lines: _Lines) -> None:
    """Addresses that are done with, as a tree: of each line two letters say whether others are below it."""
    left = 1
    while True:
        node = _NODE.match(line)
        if node is None:
            raise WrongError("the tree of those who have it is damaged")
        found.done.add(node[3])
        left += (node[1] == b"Y") + (node[2] == b"Y") - 1
        if not left:
            return
        line = lines.next("the end of the tree of those who have it")


def _recipients(found: Header, lines: _Lines) -> None:
    count = lines.next("the number of recipients")
    if not count.isdigit() or len(count) > 6 or int(count) > MOST_RECIPIENTS:
        raise WrongError("the number of recipients is damaged")
    for _ in range(int(count)):
        line = lines.next("the last recipient")
        if not line:
            raise WrongError("a recipient is empty")
        found.recipients.append(_address(line))


def _address(line: bytes) -> bytes:
    """A recipient without what is kept with it: ORCPT and DSN flags, where errors go, whose child it is.

    Today that is ``ADDRESS ORCPT LENGTH,DSN ERRORS LENGTH,PARENT#3``; it is read from the right, as addresses
    may hold blanks.
    """
    if flagged := _FLAGS.fullmatch(line):
        end = len(flagged[1])
        for bit in (1, 2):
            if int(flagged[2]) & bit:
                end = _before_text(line, end)
        return line[: max(end, 0)]
    old = _EXIM_3.match(line) or _EXIM_4_EARLY.match(line)
    return old[1] if old else line


def _before_text(line: bytes, end: int) -> int:
    """Where ``TEXT LENGTH,NUMBER``, which ends at ``end``, begins, less the blank before it."""
    at = end - 1
    while at >= 0 and line[at] in b"0123456789,-":
        at -= 1
    length = _COUNT.match(line, at + 1)
    return at - (int(length[0]) if length else 0) - 1


def _header(found: Header, lines: _Lines) -> None:
    if lines.next("the header"):
        raise WrongError("no empty line stands before the header")
    while lines.at < len(lines.data):
        length = _LENGTH.match(lines.data, lines.at)
        if length is None:
            raise WrongError("a line of the header has no length")
        lines.at = length.end()
        # An asterisk: it was rewritten and is kept to be looked at.
        sent = length[2] != b"*"
        # As Exim counts: before it sees whether the line is there.
        found.size_bytes += int(length[1]) if sent else 0
        text = lines.take(int(length[1]), "a line of the header")
        if b"\0" in text:
            raise WrongError("a line of the header holds zero bytes")
        if sent:
            found.lines.append(text)
