"""Does a finding tell of an incident? By its detection, its instant, and what it is about."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from ipaddress import ip_network
from typing import Any

from simulation.kinds import FINDS, FOLLOWS, ON_A_TRIP

AFTERWARDS = timedelta(hours=2)  # queues empty and bounces come while it is over
IDENTITIES = ("ip", "ips", "network", "user", "sender", "recipient", "domain", "domains", "program", "uid")


@dataclass(frozen=True)
class Finding:
    """A line of `mailscope detect --format json`; instants are those of the log."""

    detection: str
    severity: str
    title: str
    first: datetime
    found: datetime
    subject: tuple[str, ...]

    @classmethod
    def of(cls, data: dict[str, Any]) -> Finding:
        """Read a finding; raises ValueError saying which field is missing or wrong."""
        try:
            subject = data.get("subject") or {}
            values = subject.values() if isinstance(subject, dict) else [subject]
            return cls(
                data["detection"],
                data.get("severity", "warning"),
                data.get("title", ""),
                instant(data["first_time"]),
                instant(data["found_time"]),
                tuple(str(value).lower() for value in values if value is not None),
            )
        except KeyError as missing:
            raise ValueError(f"a finding without {missing}") from None


@dataclass
class Incident:
    """A label, and what was found of it."""

    kind: str
    variant: str
    start: datetime
    knowable: datetime
    end: datetime
    subject: tuple[str, ...]
    findings: list[Finding] = field(default_factory=list)
    followers: list[Finding] = field(default_factory=list)

    @classmethod
    def of(cls, data: dict[str, Any]) -> Incident:
        """Read a label."""
        values: list[str] = []
        for name in IDENTITIES:
            value = data["subject"].get(name, [])
            values += value if isinstance(value, list) else [value]
        return cls(
            data["kind"], data["variant"], instant(data["start"]), instant(data["knowable"] or data["start"]),
            instant(data["end"]), tuple(str(value).lower() for value in values),
        )  # fmt: skip

    @property
    def found(self) -> Finding | None:
        """Give the first finding of it."""
        return min(self.findings, key=lambda finding: finding.found, default=None)

    @property
    def delay(self) -> timedelta | None:
        """Give how long after it could be known it was found; none if it was not."""
        first = self.found
        return None if first is None else max(first.found - self.knowable, timedelta())

    def lasts_at(self, time: datetime) -> bool:
        """Say whether a finding of an instant can tell of it."""
        return self.start <= time <= self.end + AFTERWARDS

    def take(self, finding: Finding) -> bool:
        """Take a finding that tells of it, or of what follows from it."""
        if not self.lasts_at(finding.found):
            return False
        if finding.detection in FINDS[self.kind] and agree(finding.subject, self.subject):
            self.findings.append(finding)
            return True
        if finding.detection in FOLLOWS[self.kind]:
            self.followers.append(finding)
            return True
        return False


@dataclass(frozen=True)
class Trip:
    """A journey of one of the people."""

    user: str
    start: datetime
    end: datetime

    def explains(self, finding: Finding) -> bool:
        """Say whether a finding tells of it."""
        during = self.start <= finding.found <= self.end + AFTERWARDS
        return during and finding.detection in ON_A_TRIP and agree(finding.subject, (self.user.lower(),))


def instant(text: str) -> datetime:
    """Read an ISO 8601 instant; raises ValueError without a zone."""
    time = datetime.fromisoformat(text)
    if time.tzinfo is None:
        raise ValueError(f"{text}: an instant without a zone")
    return time


def agree(subject: tuple[str, ...], label: tuple[str, ...]) -> bool:
    """Say whether a finding's subject is the incident's.

    Values of one sort (addresses of machines, of people, other names) must meet; where the two have no sort
    in common, as for a detection that speaks of the host, the instant must do.
    """
    common = False
    for sort in (_is_network, _is_person, _is_domain):
        ours, theirs = [value for value in subject if sort(value)], [value for value in label if sort(value)]
        if ours and theirs:
            common = True
            if any(_meet(one, other) for one in ours for other in theirs):
                return True
    return not common


def _is_network(value: str) -> bool:
    try:
        ip_network(value, strict=False)
    except ValueError:
        return False
    return True


def _is_person(value: str) -> bool:
    return "@" in value or not (_is_network(value) or _is_domain(value))


def _is_domain(value: str) -> bool:
    return "@" not in value and "." in value and value.endswith((".example", "example.org"))


def _meet(one: str, other: str) -> bool:
    if one == other:
        return True
    if _is_network(one):
        first, second = ip_network(one, strict=False), ip_network(other, strict=False)
        if first.version != second.version:
            return False
        return first.network_address in second or second.network_address in first
    if _is_domain(one):
        return one.endswith(f".{other}") or other.endswith(f".{one}")  # a provider's server, a provider
    return one.partition("@")[0] == other.partition("@")[0] and ("@" in one) != ("@" in other)
