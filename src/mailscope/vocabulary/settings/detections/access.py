"""Settings of detections that look at logins."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from mailscope.vocabulary.settings.values import Table

Count = Annotated[int, Field(ge=1, le=1_000_000)]
Seconds = Annotated[int, Field(ge=1, le=604_800)]
PrefixV4 = Annotated[int, Field(ge=8, le=32)]
PrefixV6 = Annotated[int, Field(ge=16, le=128)]


class BruteForce(Table):
    """One client tries passwords of one account."""

    enabled: bool = Field(True, description="Whether it is looked for.")
    window_s: Seconds = Field(600, description="Time over which failed logins are counted.")
    failures: Count = Field(20, description="So many failed logins of one account from one address.")


class PasswordSpraying(Table):
    """One client, or one network, tries few passwords of many accounts."""

    enabled: bool = Field(True, description="Whether it is looked for.")
    window_s: Seconds = Field(3_600, description="Time over which accounts are counted.")
    users: Count = Field(10, description="So many accounts at which logins from one network failed.")
    prefix_v4: PrefixV4 = Field(24, description="Bits that IPv4 addresses of one network share.")
    prefix_v6: PrefixV6 = Field(64, description="Bits that IPv6 addresses of one network share.")


class DistributedGuessing(Table):
    """Many clients try passwords of one account."""

    enabled: bool = Field(True, description="Whether it is looked for.")
    window_s: Seconds = Field(3_600, description="Time over which addresses are counted.")
    networks: Count = Field(10, description="So many networks from which logins to one account failed.")
