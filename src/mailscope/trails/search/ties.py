"""Programs that are told neither queue id nor Message-ID: what else ties their word to a message.

Postfix asks a policy service (SMTPD_POLICY_README) at RCPT, when there is no queue id yet; the service logs
what it was told: the client's address, mostly the sender, sometimes the recipient.  clamav-milter (0.95 on,
``LogInfected Basic``, ``LogClean Basic``) logs sender and recipient.  ``TIES`` is the one table of them: the
search uses it on bytes, the narrative on fields.

Sources: SMTPD_POLICY_README of Postfix 3.7; the programs' own, as told in ``recognise/patterns/filters``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Tie:
    """One way to tie a line to a message.

    ``services``: whose lines; ``program``: their tag in bytes; ``named``: finds in such a line what it is
    looked for by; ``told``: finds the same in a line of the message (group 1).  ``needs``: fields that line
    and message must share; ``agree``: those that may not differ where both tell them.
    """

    services: frozenset[str]
    program: re.Pattern[bytes]
    named: re.Pattern[bytes]
    told: re.Pattern[bytes]
    needs: tuple[str, ...]
    agree: tuple[str, ...]

    def names(self, line: bytes) -> list[bytes]:
        """What a line of the program may be looked for by; none for lines of other programs."""
        return self.named.findall(line) if self.program.search(line, 0, 200) else []


def _tag(programs: bytes) -> re.Pattern[bytes]:
    return re.compile(rb"(?:^|[ /])(?:%s)(?:\[[0-9]+\]:|:| [0-9-]+ )" % programs)


_CLIENT: Final = Tie(
    frozenset({"policyd-spf", "policy-spf", "postgrey", "policyd-weight", "postfwd"}),
    _tag(
        rb"policyd-spf|policydspf|pyspf-milter|policy-spf|postfix-policyd-spf-perl|postgrey|policyd-weight"
        rb"|postfwd[0-9]?(?:/[a-z]+)?"
    ),
    re.compile(rb"(?:[=\[]|IP Address: )([0-9A-Fa-f]*[.:][0-9A-Fa-f.:]+)"),
    re.compile(rb": (?:client=[^ ]*|NOQUEUE: [^ ]+ [A-Z-]+ from [^ ]*)\[([0-9A-Fa-f.:]+)\]"),
    ("client_ip",),
    ("sender", "recipient"),
)
_ENVELOPE: Final = Tie(
    frozenset({"clamav-milter"}),
    _tag(rb"clamav-milter"),
    re.compile(rb"from (<[^>]+>)"),
    re.compile(rb": from=(<[^> ]+>), size="),
    ("sender", "recipient"),
    (),
)
TIES: Final = (_CLIENT, _ENVELOPE)
_CONNECTED: Final = re.compile(rb": connect from [^ ]*\[([0-9A-Fa-f.:]+)\]")
# A program of the host itself hands mail over without asking anybody, or hands back what was asked about.
_LOCAL: Final = re.compile(rb"127\.|::1$")


def told(line: bytes) -> Iterator[tuple[Tie, bytes]]:
    """By what a line of a message, or of a refusal, lets others' lines be looked for."""
    for tie in TIES:
        found = tie.told.search(line)
        if found and not _LOCAL.match(found[1]):
            yield tie, found[1]


def connected(line: bytes) -> list[bytes]:
    """The client that a line of Postfix's says has connected."""
    return _CONNECTED.findall(line)


def named(line: bytes) -> list[bytes]:
    """By what a line of one of these programs may be looked for; none for lines of others."""
    return [name for tie in TIES for name in tie.names(line)]


def tie_of(service: str | None) -> Tie | None:
    """The tie for the lines of a service."""
    return next((tie for tie in TIES if service in tie.services), None)
