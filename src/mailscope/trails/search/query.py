"""What a person looks for: its kind, the bytes that a matching line must hold, and the exact check.

    4B5C61F00D   3pvwXr2Yk0z1tG2   1613943     queue-id (Postfix short and long; qmail's message number)
    1xWhQ7-00002n-0S   6AQMAJb0000211   5fd85c2b   queue-id (Exim, Sendmail, OpenSMTPD's msgid)
    <2026.1@example.org>   2026.1@example.org  message-id
    alice@example.org                          address: as sender, recipient, login ...
    @example.org                               domain: addresses at exactly this domain
    example.org                                domain: addresses at it or below it, and hosts in it
    192.0.2.1   2001:db8::1                    ip
    delivery 15   d15                          delivery: qmail's delivery number

``a@b`` may be an address or a Message-ID; without ``--as`` both count.  Addresses, domains and IPs are
compared without regard to case, ids exactly.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from typing import Final

from mailscope.recognise.tokens import TOKENS
from mailscope.vocabulary.errors import UsageError

KINDS: Final = ("queue-id", "message-id", "address", "domain", "ip", "delivery")
ADVICE: Final = (
    "give a queue id, message-id, address, domain, IP address or 'delivery N', "
    "and --as KIND where its look does not tell"
)
_DELIVERY: Final = re.compile(r"(?:delivery |d)([0-9]{1,10}):?", re.IGNORECASE)
# OpenSMTPD's; each of its envelope ids begins with one.
_MSGID: Final = "(?=[a-f]*[0-9])[0-9a-f]{8}"
_QUEUE_ID: Final = re.compile(
    r"[0-9]{1,20}|[0-9A-F]{6,}|(?=[^0-9]*[0-9])[0-9B-DF-HJ-NP-TV-Zb-df-hj-np-tv-z]{12,}"
    rf"|{TOKENS['exim_id']}|{TOKENS['sendmail_id']}|{TOKENS['courier_id']}|{_MSGID}"
)
_DOMAIN: Final = re.compile(r"[\w_-]{1,63}(?:\.[\w_-]{1,63})+\.?")
# What may stand in an address or a host name, so that a longer one is not taken for it.
_BEFORE_ADDRESS: Final = rb"(?<![A-Za-z0-9.!#$%&'*+/=?^_`{|}~\x80-\xff-])"
_AFTER_DOMAIN: Final = rb"(?![A-Za-z0-9\x80-\xff_-]|\.[A-Za-z0-9\x80-\xff_])"
# Ids are named after these words when they are not at the beginning of the text.
_NAMED: Final = (
    rb"(?:: |^|\bmsg |bounce/|mess/[0-9]+/|queued[ _]as:?[ _]|forwarded as |notification: "
    rb"|orig_id=|orig_queue_id=)"
)


@dataclass(frozen=True)
class Query:
    """What is looked for.

    ``needles``: every matching line holds one of them; ``any_case``: in whatever case.  ``exact`` is the
    check of a line that holds one.  ``id``: the queue id itself, where that is the query.
    """

    text: str
    kinds: tuple[str, ...]
    needles: tuple[bytes, ...]
    any_case: bool
    exact: re.Pattern[bytes]

    @property
    def id(self) -> bytes | None:
        """The queue id, if the query is one."""
        return self.needles[0] if self.kinds == ("queue-id",) else None

    def matches(self, line: bytes) -> bool:
        """Whether a line is about what is looked for, rather than only holding the same characters."""
        # The host that logged the line is not what it is about.
        start = max(line.find(b": ", 0, 200), 0) if self.kinds in (("domain",), ("ip",)) else 0
        for found in self.exact.finditer(line, start):
            if "message-id" in self.kinds or not _in_message_id(line, found.start()):
                return True
        return False

    def __str__(self) -> str:
        return f"{' or '.join(self.kinds)} {self.text}"


# Message-IDs look like addresses.
_MESSAGE_ID: Final = re.compile(rb"(?i)message-id[=:] ?<?[^>\s]*")


def _in_message_id(line: bytes, at: int) -> bool:
    """Whether what stands at a position is a part of a logged Message-ID."""
    begin = max(line.rfind(b"essage-", 0, at) - 1, 0)
    found = _MESSAGE_ID.match(line, begin, at)
    return found is not None and found.end() == at


def read_query(text: str, kind: str | None = None) -> Query:
    """The query that some words mean; ``kind`` overrides the guess.

    Raises UsageError where the words can mean nothing of the kind.
    """
    words = text.strip()
    if kind is not None and kind not in KINDS:
        raise UsageError(f"unknown kind '{kind}'", "--as", f"one of {', '.join(KINDS)}")
    kinds = (kind,) if kind else _guess(words)
    if not kinds or not words or any(ord(char) < 0x20 for char in words):
        raise UsageError(f"cannot tell what '{text}' is", "QUERY", ADVICE)
    build = {
        "queue-id": _queue_id,
        "message-id": _message_id,
        "address": _address,
        "domain": _domain,
        "ip": _ip,
        "delivery": _delivery,
    }
    queries = [build[name](words) for name in kinds]
    if len(queries) == 1:
        return queries[0]
    exact = re.compile(b"|".join(b"(?:%s)" % query.exact.pattern for query in queries), re.IGNORECASE)
    return Query(words, kinds, queries[0].needles, True, exact)


def _guess(words: str) -> tuple[str, ...]:
    if _DELIVERY.fullmatch(words):
        return ("delivery",)
    if _is_ip(words):
        return ("ip",)
    bare = words.removeprefix("<").removesuffix(">")
    if "@" in bare:
        if bare.startswith("@"):
            return ("domain",)
        return ("address", "message-id")
    if bare != words:
        return ("message-id",)
    if _QUEUE_ID.fullmatch(words):
        return ("queue-id",)
    return ("domain",) if _DOMAIN.fullmatch(words) else ()


def _is_ip(words: str) -> bool:
    try:
        ip_address(words.strip("[]"))
    except ValueError:
        return False
    return True


def _single(kind: str, text: str, needle: bytes, pattern: bytes, *, any_case: bool) -> Query:
    return Query(text, (kind,), (needle,), any_case, re.compile(pattern, re.IGNORECASE if any_case else 0))


def _queue_id(words: str) -> Query:
    if not re.fullmatch(r"[0-9A-Za-z][0-9A-Za-z._+/-]*", words):
        raise UsageError(f"'{words}' is not a queue id", "QUERY", "an id has letters and digits only")
    needle = words.encode("utf-8", "surrogateescape")
    before = _NAMED if words.isdigit() else rb"(?<![0-9A-Za-z])"
    envelope = rb"(?:[0-9a-f]{8})?" if re.fullmatch(_MSGID, words) else b""
    pattern = before + re.escape(needle) + envelope + rb"(?![0-9A-Za-z])"
    return _single("queue-id", words, needle, pattern, any_case=False)


def _message_id(words: str) -> Query:
    needle = words.removeprefix("<").removesuffix(">").encode("utf-8", "surrogateescape")
    if not needle:
        raise UsageError("the message-id is empty", "QUERY", ADVICE)
    pattern = rb"(?<=[<=: ])" + re.escape(needle) + rb"(?=[>,;\s]|$)"
    return _single("message-id", words, needle, pattern, any_case=False)


def _address(words: str) -> Query:
    needle = words.removeprefix("<").removesuffix(">").encode("utf-8", "surrogateescape")
    if b"@" not in needle.strip(b"@"):
        raise UsageError(f"'{words}' is not an address", "QUERY", "an address has an @ in its middle")
    return _single(
        "address", words, needle, _BEFORE_ADDRESS + re.escape(needle) + _AFTER_DOMAIN, any_case=True
    )


def _domain(words: str) -> Query:
    name = words.removeprefix("@").removesuffix(".")
    if not name or "@" in name or " " in name:
        raise UsageError(f"'{words}' is not a domain", "QUERY", "such as example.org or @example.org")
    if words.startswith("@"):
        needle = b"@" + name.encode("utf-8", "surrogateescape")
        return _single("domain", words, needle, re.escape(needle) + _AFTER_DOMAIN, any_case=True)
    needle = name.encode("utf-8", "surrogateescape")
    pattern = rb"(?<![A-Za-z0-9\x80-\xff_-])" + re.escape(needle) + _AFTER_DOMAIN
    return _single("domain", words, needle, pattern, any_case=True)


def _ip(words: str) -> Query:
    try:
        address = ip_address(words.strip("[]"))
    except ValueError:
        raise UsageError(
            f"'{words}' is not an IP address", "QUERY", "such as 192.0.2.1 or 2001:db8::1"
        ) from None
    if not isinstance(address, IPv6Address):
        needle = str(address).encode("utf-8", "surrogateescape")
        return _single(
            "ip", words, needle, rb"(?<![0-9.])%s(?![0-9]|\.[0-9])" % re.escape(needle), any_case=False
        )
    # Written short (RFC 5952) by most, in full by some.
    forms = tuple(
        dict.fromkeys(
            form.encode("utf-8", "surrogateescape")
            for form in (str(address), address.exploded, words.strip("[]"))
        )
    )
    pattern = rb"(?<![0-9A-Fa-f:])(?:%s)(?![0-9A-Fa-f:])" % b"|".join(re.escape(form) for form in forms)
    return Query(words, ("ip",), forms, True, re.compile(pattern, re.IGNORECASE))


def _delivery(words: str) -> Query:
    found = _DELIVERY.fullmatch(words) or re.fullmatch("([0-9]{1,10})", words)
    if found is None:
        raise UsageError(f"'{words}' is not a delivery number", "QUERY", "such as 'delivery 15' or d15")
    needle = b"delivery %s: " % found[1].encode("utf-8", "surrogateescape")
    return _single("delivery", words, needle, rb"(?<![0-9A-Za-z])" + re.escape(needle), any_case=False)
