"""Reasons in shorter words: what a remote host said, why mail waits, warnings in general terms."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, NamedTuple

from mailscope.reports.compat.pflogsumm.hosts import host_name

_CODE: Final = re.compile(r"[0-9]{3}(?:[ -]#?[0-9]\.[0-9]\.[0-9])? ")
_SAID: Final = " said: "
_PARTED_AT: Final = ("delivery error:", "Requested action not taken:", "Transaction failed:", "RCPT TO:")
_NO_HOST: Final = "(unknown host)"
_SUSPENDED: Final = "delivery temporarily suspended: "


def older_said(text: str, longest: int) -> str:
    """1.1.5: text no longer than that, shortened from the left at colons, and else at its end."""
    while len(text) > longest:
        if (at := text.rfind(_SAID)) >= 0:
            text = text[at + len(_SAID) :]
        elif (at := text.find(":")) >= 0:
            text = text[at + 1 :].lstrip(" ")
        else:
            return text[: longest - 3] + "..."
    return text


def said(text: str, longest: int) -> str:
    """1.3.0: text without its reply code, no longer than that."""
    text = _without_code(text)
    while len(text) > longest:
        if (at := text.rfind(_SAID)) >= 0:
            text = _without_code(text[at + len(_SAID) :])
        elif any(words in text for words in _PARTED_AT):
            text = text[text.find(":") + 1 :].lstrip(" ")
        else:
            return text[: longest - 3] + "..."
    return text


def _without_code(text: str) -> str:
    found = _CODE.match(text)
    return text[found.end() :] if found else text


def cut(text: str, longest: int) -> str:
    """Text no longer than that, with dots for what was cut off."""
    return text[: longest - 3] + "..." if len(text) > longest else text


@lru_cache(1 << 16)
def deferral(text: str) -> tuple[str, str]:
    """1.3.0: the host that mail waits for, and why."""
    host, reason = _waits_for(text)
    return host_name(host), said(reason, 66)


def _waits_for(text: str) -> tuple[str, str]:
    if found := re.match(r"host (\S+) (?:said|refused to talk to me): ([^(]+)", text, re.ASCII):
        return found[1], found[2]
    connecting = text.removeprefix(_SUSPENDED)
    if connecting.startswith("connect to "):
        host, reason = _parted(connecting.removeprefix("connect to "), ": ")
        if reason and ")" not in reason:
            return host, reason
    if found := re.match(r"cannot (?:append to file|update mailbox) ([^:.]+)[:.] (.+)", text):
        return found[1], found[2]
    if found := re.match(r".*Name service error for (?:domain |name=)?([^: ]+):? (.+)", text):
        return found[1], "Name service error " + found[2]
    within = r"(conversation |lost connection )with (\S+) ((?:timed out )?while (?:receiv|send)ing .+)"
    if found := re.match(within, text, re.ASCII):
        return found[2], found[1] + found[3]
    return _NO_HOST, text


def _parted(text: str, mark: str) -> tuple[str, str]:
    """What stands before the first mark (at least one character) and behind it."""
    at = text.find(mark, 1)
    return (text[:at], text[at + len(mark) :]) if at >= 0 else (text, "")


class _Wording(NamedTuple):
    """A warning whose particulars change: ``expression`` names them, the groups are what stays."""

    sign: str  # words that must be there for the expression to be tried
    expression: re.Pattern[str]


def _wording(sign: str, expression: str) -> _Wording:
    return _Wording(sign, re.compile(expression, re.ASCII))


# The messages are those of Postfix (smtpd, smtpd_check.c, valid_hostname.c, smtpd_peer.c, spawn) and of
# policyd-spf; the first wording that fits is used.
_ADDRESS: Final = "[0-9A-F:.]+"
_NOT_KNOWN: Final = "hostname nor servname provided, or not known"
_WORDINGS: Final = (
    _wording(
        "Host not found",
        r"^(Unable to look up (?:MX|NS) host) for .+(: Host not found(?:,try again)?)",
    ),
    _wording("does not resolve", rf"^(hostname ).+ (does not resolve to address) {_ADDRESS}$"),
    _wording("does not resolve", rf"^(hostname ).+ (does not resolve to address) .+(: {_NOT_KNOWN})$"),
    _wording(
        "Unable to look up",
        r"^(Unable to look up (?:MX|NS) host ).+ (for (?:Client host|Sender address|Helo command)) .+"
        rf"(: (?:No address associated with hostname|{_NOT_KNOWN}))$",
    ),
    _wording("malformed domain", r"^(malformed domain name in resource data of MX record) for .*$"),
    _wording("numeric domain", r"^(numeric domain name in resource data of (?:NS|MX) record) for .*$"),
    _wording("numeric hostname", r"^(numeric hostname): .*$"),
    _wording("valid_hostname", r"^(valid_hostname: invalid character) .*$"),
    _wording("not listed", rf"^{_ADDRESS} (address not listed for hostname) .*$"),
    _wording("size limit", r"^[0-9A-F]+: (queue file size limit exceeded)$"),
    _wording(
        "SASL ",
        r"^[^:]+: (SASL (?:CRAM-MD5|LOGIN|PLAIN) authentication failed"
        r"(?:: Invalid authentication mechanism)?).*$",
    ),
    _wording("Illegal address", r"^(Illegal address syntax )from .+ (in (?:RCPT|MAIL) command): .*$"),
    _wording("non-SMTP", r"^(non-SMTP command) from .+?(: \S+) .*$"),
    _wording(
        "concurrency limit", r"^(Connection concurrency limit exceeded: [0-9]+ )from \S+ (for service .+)$"
    ),
    _wording(
        "verification failed",
        rf"^{_ADDRESS} (hostname ).+ (verification failed: No address associated with hostname)$",
    ),
    _wording(
        "RBL lookup",
        r"^[\w.-]+: (RBL lookup error: Host or domain name not found. Name service error )for name=[\w.-]+ "
        r"(type=.+: Host not found, try again)$",
    ),
    _wording(
        "policyd-spf-perl",
        r"^.+((?:postfix-)?policyd-spf-perl: process )id [0-9]+: (command time limit exceeded)$",
    ),
)
_PROCESS: Final = re.compile(r"(process .+) pid [0-9]+ (exit status [0-9]+)", re.ASCII)


@lru_cache(1 << 16)
def general_warning(text: str) -> str:
    """1.3.0: a warning without the names, addresses and numbers that make each of its kind a new one."""
    for sign, expression in _WORDINGS:
        if sign in text and (found := expression.match(text)):
            kept = "".join(group for group in found.groups() if group)
            return kept + text[found.end() :]
    return _PROCESS.sub(r"\1 \2", text, count=1)
