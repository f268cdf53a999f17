"""Sample log lines that are sent, in thought, through a syslog daemon's rules.

Rules can be selectors, expressions, nested blocks, ``stop`` statements and ``final`` flags.  Rather than
reasoning about each, discovery asks one question of all: which of these lines would you write, and where?
The answers say which files hold all the mail and which hold a part only.

The lines cover each severity of the mail facility for the programs that such rules name, and each severity
of the other facilities, by which a log for mail alone is told from one for everything.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

# In the order of their codes (RFC 5424 section 6.2.1; syslog(3) of Linux and the BSDs).
SEVERITIES: Final = ("emerg", "alert", "crit", "err", "warning", "notice", "info", "debug")
FACILITIES: Final = (
    *("kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp"),
    *("ntp", "security", "console", "cron2"),
    *(f"local{number}" for number in range(8)),
)
MAIL: Final = FACILITIES.index("mail")
_INFO: Final = SEVERITIES.index("info")
_MAIL_TAGS: Final = (
    *("postfix/smtpd", "postfix/qmgr", "dovecot", "qmail", "sendmail", "amavis", "spamd", "rspamd"),
    *("opendkim", "clamd", "imapd", "other-mail-program"),
)


@dataclass(frozen=True, slots=True)
class Probe:
    """One log line: facility and severity codes, and the tag as logged, without ``[pid]:``."""

    facility: int
    severity: int
    tag: str

    @property
    def program(self) -> str:
        """The tag up to a slash, as rsyslog's ``programname`` has it."""
        return self.tag.partition("/")[0]


PROBES: Final = frozenset(
    Probe(facility, severity, tag)
    for facility in range(len(FACILITIES))
    for severity in range(len(SEVERITIES))
    for tag in (_MAIL_TAGS if facility == MAIL else ("other",))
)
TEXT: Final = "sample text of a log line"  # what content filters are asked about


@dataclass(frozen=True, slots=True)
class Sink:
    """A file that a rule writes, the lines it takes, and where the rule stands."""

    path: Path
    why: str
    takes: frozenset[Probe]

    @property
    def mail(self) -> frozenset[Probe]:
        """What it takes of mail at info and above: debug lines are not worth a second, larger log."""
        return frozenset(probe for probe in self.takes if probe.facility == MAIL and probe.severity <= _INFO)

    @property
    def foreign(self) -> int:
        """How many lines that are not mail it takes."""
        return sum(probe.facility != MAIL for probe in self.takes)


def fullest(sinks: Iterable[Sink]) -> list[Sink]:
    """Choose the fewest files that together hold all the mail that any of them holds.

    Logs for mail alone are preferred to logs for everything, and mail.* to mail.info.  A file that holds
    only what another one holds (mail.err beside mail.*) is left out, and so is a log for everything that
    takes nothing below a warning, when it is the only one: it is no mail log.
    """
    merged: dict[Path, Sink] = {}
    for sink in sinks:
        first = merged.get(sink.path)
        merged[sink.path] = Sink(sink.path, first.why, first.takes | sink.takes) if first else sink
    candidates = [
        sink
        for sink in merged.values()
        if sink.mail and (sink.foreign == 0 or any(probe.severity == _INFO for probe in sink.mail))
    ]
    everything = frozenset[Probe]().union(*(sink.mail for sink in candidates))
    dedicated = [sink for sink in candidates if sink.foreign == 0]
    if frozenset[Probe]().union(*(sink.mail for sink in dedicated)) == everything:
        candidates = dedicated

    chosen: list[Sink] = []
    missing = everything
    while missing:
        best = max(candidates, key=lambda sink: (len(sink.mail & missing), -sink.foreign, len(sink.takes)))
        chosen.append(best)
        missing -= best.mail
    return chosen
