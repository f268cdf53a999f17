"""A message becomes a line of a log file.

What a relay has to do with messages that lack something is in RFC 3164 section 4.3: no priority, and it is
13; no stamp, and the time of receipt is put in; no host, and it is the sender's address (of a program on
this host: the host's name).  Each message that has all of them, of either RFC, is left as it is.  Control
characters are written as rsyslogd does it (``#012`` for a line feed), and a NUL, a line feed and a carriage
return at the end are dropped.

Source: RFC 3164, RFC 5424; rsyslog 8.2302, runtime/parser.c (SanitizeMsg) and tools/pmrfc3164.c (what can
be a host).
"""

from __future__ import annotations

import re
from typing import Final

from mailscope.syslog.receiver import cisco
from mailscope.syslog.receiver.message import DEFAULT_PRI, PRI, Message
from mailscope.syslog.receiver.stamps import BSD, ISO, PROTOCOL, stamp

# A name as rsyslogd takes it, an address, an address in brackets, or what Linux calls a host without a name.
HOST: Final = (
    rb"(?:[0-9A-Za-z._-]*[0-9A-Za-z]|\[[0-9A-Fa-f.:]+\]"
    rb"|[0-9A-Fa-f]*:[0-9A-Fa-f]*:[0-9A-Fa-f:.]*[0-9A-Fa-f]|\(none\))"
)
# RFC 5424 section 6.3; a quoted value may hold brackets, and escaped quotes.
DATA: Final = rb'(?:-|(?:\[(?:[^"\]]++|"(?:[^"\\]++|\\.)*+")*+\])+)'
WHOLE: Final = re.compile(rb"%s(?:%s|%s) %s (?!: ?%%)[^\x00-\x1f]*+\Z" % (PRI, BSD, ISO, HOST))
WHOLE_PROTOCOL: Final = re.compile(
    rb"%s1 %s (?!- )[!-~\x80-\xff]+ [!-~\x80-\xff]+ [!-~\x80-\xff]+ [!-~\x80-\xff]+ -(?: [^\x00-\x1f]*+)?\Z"
    % (PRI, PROTOCOL)
)
_PRI: Final = re.compile(PRI)
_STAMP: Final = re.compile(rb" ?(%s|%s):?(?: |\Z)" % (BSD, ISO))
_HOST: Final = re.compile(rb"(%s)(?: |\Z)" % HOST)
_PROTOCOL: Final = re.compile(
    rb"([1-9][0-9]{0,2}) (-|%s) ([^ ]+) ([^ ]+) ([^ ]+) ([^ ]+)(?: (.*))?\Z" % PROTOCOL, re.DOTALL
)
_DATA: Final = re.compile(DATA + rb"(?: |\Z)", re.DOTALL)
_CONTROL: Final = re.compile(rb"[\x00-\x1f]")
_ESCAPES: Final = tuple((bytes([code]), b"#%03o" % code) for code in range(32))
_DEFAULT: Final = b"<%d>" % DEFAULT_PRI


def line(message: Message, local_host: bytes, *, names_host: bool) -> bytes:
    """The line, without a line feed, that the envelopes of ``intake`` read.

    ``local_host``: the host that messages of its own programs come from; ``names_host``: whether a BSD
    message may tell its host, as messages from the network do and those of syslog(3) do not.
    """
    data = message.data
    if names_host and (WHOLE.match(data) or WHOLE_PROTOCOL.match(data)):
        return data
    data = data.removesuffix(b"\0").removesuffix(b"\n").removesuffix(b"\r")
    if _CONTROL.search(data):
        for character, escape in _ESCAPES:
            if character in data:
                data = data.replace(character, escape)
    peer = message.peer.encode() or local_host
    found = _PRI.match(data)
    if found is None:
        return _bsd(_DEFAULT, data, peer, message.received_us, names_host)
    pri, rest = found[0], data[found.end() :]
    protocol = _PROTOCOL.match(rest)
    if protocol is not None:
        return _protocol(pri, protocol, peer, message.received_us)
    return _bsd(pri, rest, peer, message.received_us, names_host)


def _bsd(pri: bytes, rest: bytes, peer: bytes, received_us: int, names_host: bool) -> bytes:
    device = cisco.parts(rest, received_us)
    if device is not None:
        told = device.stamp or stamp(received_us)
        return b"%s%s %s %s" % (pri, told, device.host or peer, device.rest)
    found = _STAMP.match(rest)
    if found is None:
        # Without a stamp no word can be told to be a host (RFC 3164 section 4.3.2).
        return b"%s%s %s %s" % (pri, stamp(received_us), peer, rest)
    told, rest = found[1], rest[found.end() :]
    if names_host and (named := _HOST.match(rest)):
        return b"%s%s %s %s" % (pri, told, named[1], rest[named.end() :])
    return b"%s%s %s %s" % (pri, told, peer, rest)


def _protocol(pri: bytes, found: re.Match[bytes], peer: bytes, received_us: int) -> bytes:
    version, told, host, app, process, message_id, rest = found.groups(b"")
    told = stamp(received_us) if told == b"-" else told
    host = peer if host == b"-" else host
    if _DATA.match(rest):
        return b"%s%s %s %s %s %s %s %s" % (pri, version, told, host, app, process, message_id, rest)
    # Structured data left out or damaged: the older form has no place for it, and keeps all that is there.
    tag = b"%s[%s]" % (app, process) if process.isdigit() else app
    named = [b"-" if process.isdigit() else process, message_id]
    words = [*(word for word in named if word != b"-"), rest]
    return b"%s%s %s %s: %s" % (pri, told, host, tag, b" ".join(words))
