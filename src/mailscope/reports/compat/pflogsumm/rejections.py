"""What smtpd and postscreen refused, held, discarded or warned of: at which command, why, and whom."""

from __future__ import annotations

import re
from enum import StrEnum
from functools import lru_cache
from typing import Final, NamedTuple

from mailscope.reports.compat.pflogsumm.addresses import Munging
from mailscope.reports.compat.pflogsumm.hosts import host_domain, lower, older_domain

_ANGLE: Final = re.compile(r"([0-9]{3} (?:[0-9]\.[0-9]\.[0-9] )?<).*?(>:)")
_OLDER_ANGLE: Final = re.compile(r"([0-9]{3} <).*?(>:)")
_PROTOCOL_ERROR: Final = re.compile(r"[0-9]{3} [0-9]\.[0-9]\.[0-9] (Protocol error);")
_ADDRESS_REJECTED: Final = re.compile(r"((?:Sender|Recipient) address rejected: [^:]+):")
_BLOCKED: Final = re.compile(r"(?:client|Client host|Sender address) .+? blocked")
_CONFIGURATION: Final = re.compile(r"[0-9]{3} [0-9]\.[0-9]\.[0-9] (Server configuration (?:error|problem));.")
_RELAY_VIA_ISP: Final = "Client host rejected: Generic - Please relay via ISP"
_NULL_MX: Final = re.compile(r"(Sender address rejected: Domain) .+ (does not accept mail \(nullMX\))")
_OF_MAIL: Final = re.compile(r"[0-9]{3} (?:<.+>: )?([^;:]+)")
_OF_OTHERS: Final = re.compile(r"(?:.*[:;] )?([^,]+)")
_SEPARATOR: Final = re.compile(r"[:;] ")
_IN_BRACKETS: Final = re.compile(r"\[[^\]]+\] ")
_UP_TO_MARK: Final = re.compile(r"([^;,]+)[;,]")

_TO: Final = re.compile(r"to=<([^>]+)>")
_TO_UNKNOWN: Final = re.compile(r"[0-9]{3} <([^>]+)>: User unknown ")
_TO_UNENDED: Final = re.compile(r"to=<(.*?)(?:[, ]|$)")
_FROM: Final = re.compile(r"from=<([^>]+)>")
_RECIPIENT: Final = re.compile(r"Recipient address rejected:|User unknown(?: |$)")
_AFTER_CODE: Final = re.compile(
    r".*?[0-9]{3} (Improper use of SMTP command pipelining|Message size exceeds fixed limit"
    r"|Server configuration (?:error|problem));"
)
_ENVELOPE: Final = "; from=<"


class Rejection(NamedTuple):
    """One line's place in the details: SMTP command, reason, and what is counted below it."""

    command: str
    reason: str
    whom: str


class Wishes(NamedTuple):
    """What options have to do with refusals."""

    release: str
    munging: Munging
    verbose: bool
    add_sender: bool
    add_recipient: bool


def rejection(command: str, client: str, said: str, wishes: Wishes) -> Rejection:
    """Take one refusal apart.

    In: the SMTP command, the client and what was said to it, each empty where the line has another form than
    ``reject: COMMAND from CLIENT: ...``.
    """
    current = wishes.release == "1.3.0"
    reason = said
    if not wishes.verbose:
        reason = shortened(command, said, current=current)
        if current and command == "connect":
            command = "CONNECT"
    if reason.startswith("Sender address rejected:"):
        return Rejection(command, reason, _refused_sender(client, said, wishes))
    if _RECIPIENT.match(reason):
        return Rejection(command, reason, _recipient(said, wishes) + _by_sender(said, wishes))
    domain = host_domain(client) if current else older_domain(client) or ""
    if found := _AFTER_CODE.match(reason):
        if found[1].startswith("Improper"):
            # An IPv6 address ends at its first colon.
            return Rejection(command, found[1], client.partition(":")[0])
        local = "(Local) " if found[1].startswith("Server") else ""
        return Rejection(command, local + found[1], domain + _by_sender(said, wishes))
    if not current or reason == "Helo command rejected: Invalid name":
        return Rejection(command, reason, domain + _by_sender(said, wishes))
    return Rejection(command, reason, domain + _both_ends(said, wishes))


def _refused_sender(client: str, said: str, wishes: Wishes) -> str:
    sender = _sender(said, wishes)
    if wishes.release == "1.1.5":
        return sender
    whom = host_domain(client) if client not in ("", "0") else ""
    if not wishes.add_recipient:
        return f"{whom} (<{sender})"
    recipient = _recipient(said, wishes)
    return whom if recipient in ("", "0") else f"{whom} ({sender} -> {recipient})"


def _by_sender(said: str, wishes: Wishes) -> str:
    return f"  ({_sender(said, wishes)})" if wishes.add_sender else ""


def _both_ends(said: str, wishes: Wishes) -> str:
    recipient = _recipient(said, wishes) if wishes.add_recipient else ""
    to = recipient not in ("", "0")
    if wishes.add_sender:
        sender = _sender(said, wishes)
        return f"  ({sender} -> {recipient})" if to else f"  (< {sender})"
    return f"  (> {recipient})" if to else ""


def _recipient(said: str, wishes: Wishes) -> str:
    found = _TO.search(said) or _TO_UNKNOWN.search(said) or _TO_UNENDED.search(said)
    recipient = found[1] if found else "<>"
    return lower(recipient) if wishes.munging.ignore_case else recipient


def _sender(said: str, wishes: Wishes) -> str:
    found = _FROM.search(said)
    sender = wishes.munging.unmarked(found[1] if found else "<>")
    return lower(sender) if wishes.munging.ignore_case else sender


class Whom(StrEnum):
    """What is counted below a reason, where no option asks for more."""

    SENDER = "sender"
    RECIPIENT = "recipient"
    DOMAIN = "domain"


def told_before(said: str, *, current: bool) -> tuple[str, Whom] | None:
    """The reason, and what is counted below it, told by what was said before the envelope.

    None where that part does not settle it, or where more of the line is counted.
    """
    reason = _condensed(said + ";", current)
    if reason is None or _AFTER_CODE.match(reason):
        return None
    if reason.startswith("Sender address rejected:"):
        return reason, Whom.SENDER
    return reason, Whom.RECIPIENT if _RECIPIENT.match(reason) else Whom.DOMAIN


def shortened(command: str, said: str, *, current: bool) -> str:
    """The reason in few words, from what was said to the client."""
    if command in ("RCPT", "DATA", "CONNECT") or (current and command == "BDAT"):
        # Anything may stand in the address or host name that follows the code, so it goes first.
        said = (_ANGLE if current else _OLDER_ANGLE).sub(r"\1\2", said, count=1) if "<" in said[:12] else said
        # Sender and recipient differ from line to line; mostly the reason is told before them.
        before, mark, _ = said.partition(_ENVELOPE)
        reason = _condensed(before + ";", current) if mark else None
        return _whole(said, current) if reason is None else reason
    if command == "MAIL":
        found = _OF_MAIL.match(said)
    elif command == "connect" and current:
        return said
    else:
        found = _OF_OTHERS.match(said)
    return found[1] if found else said


@lru_cache(1 << 14)
def _condensed(said: str, current: bool) -> str | None:
    """The reason told in a part of what was said; None where that part does not settle it."""
    if found := _PROTOCOL_ERROR.match(said):
        return found[1]
    reason = _between_marks(said)
    return None if reason is None else _finished(reason, current)


def _whole(said: str, current: bool) -> str:
    reason = _condensed(said, current)
    return _finished(said, current) if reason is None else reason


def _between_marks(said: str) -> str | None:
    for separator in _SEPARATOR.finditer(said):
        bracketed = _IN_BRACKETS.match(said, separator.end())
        for begin in (bracketed.end() if bracketed else -1, separator.end()):
            if begin >= 0 and (found := _UP_TO_MARK.match(said, begin)):
                return found[1]
    return None


def _finished(reason: str, current: bool) -> str:
    if found := _ADDRESS_REJECTED.match(reason):
        reason = found[1]
    reason = _BLOCKED.sub("blocked", reason, count=1)
    if current:
        if found := _CONFIGURATION.match(reason):
            reason = found[1]
        if reason.startswith("Unverified " + _RELAY_VIA_ISP):
            reason = _RELAY_VIA_ISP
        if found := _NULL_MX.match(reason):
            reason = f"{found[1]} {found[2]}"
    return reason
