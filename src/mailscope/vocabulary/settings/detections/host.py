"""Settings of detections that look at the host and at the logs themselves."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from mailscope.vocabulary.settings.detections.access import Count, Seconds
from mailscope.vocabulary.settings.values import Table

Percent = Annotated[int, Field(ge=1, le=100)]


class SystemTrouble(Table):
    """Disks that are full or fail, memory that ran out, programs that give up."""

    enabled: bool = Field(True, description="Whether it is looked for.")
    window_s: Seconds = Field(900, description="Time over which fatal errors are counted.")
    fatal: Count = Field(5, description="So many fatal errors of one program are told of.")


class Silence(Table):
    """No lines, no mail, or a program that stopped logging."""

    enabled: bool = Field(True, description="Whether it is looked for.")
    expected: Count = Field(
        20, description="Lines that would have come meanwhile on a quiet day; so many are missed at least."
    )
    least_s: Seconds = Field(900, description="It is no silence before so long.")


class LogLoss(Table):
    """Lines that were thrown away before anybody read them, and clocks that jump."""

    enabled: bool = Field(True, description="Whether it is looked for.")
    window_s: Seconds = Field(3_600, description="Time over which lost lines are counted.")
    lines: Count = Field(100, description="So many lost lines are told of.")
    clock_jump_s: Seconds = Field(60, description="A clock that was set by so much is told of.")


class CoverageFalling(Table):
    """A program logs lines that no pattern knows, although its lines used to be known."""

    enabled: bool = Field(True, description="Whether it is looked for.")
    lines: Count = Field(50, description="So many unknown lines within an hour, at least.")
    share_percent: Percent = Field(20, description="So large a share of the program's lines.")


class TlsFailures(Table):
    """TLS connections fail far more often than at other times."""

    enabled: bool = Field(True, description="Whether it is looked for.")
    failures: Count = Field(30, description="So many failures within an hour, at least.")
    spreads: Count = Field(6, description="So many times the usual spread above what is normal at this hour.")


class CertificateExpiry(Table):
    """Clients say that our certificate has expired, or a program says that it will."""

    enabled: bool = Field(True, description="Whether it is looked for.")
    window_s: Seconds = Field(3_600, description="Time over which complaints are counted.")
    complaints: Count = Field(3, description="So many complaints are told of.")


class ConcurrencySaturated(Table):
    """All slots for deliveries or connections are taken, so that mail waits."""

    enabled: bool = Field(True, description="Whether it is looked for.")
    least_s: Seconds = Field(600, description="It is told of when it lasts so long.")
