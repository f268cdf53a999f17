"""Settings of the blocklists that are made of findings."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from mailscope.vocabulary.settings.values import Network, Table

Hours = Annotated[int, Field(ge=1, le=8_760)]


class Blocking(Table):
    """Blocklists (`mailscope blocklist`): whom they hold, and for how long."""

    min_severity: Literal["info", "warning", "critical"] = Field(
        "warning", description="Findings at least so severe."
    )
    hours: Hours = Field(24, description="How long an attacker is blocked after it was seen last.")
    hours_again: Hours = Field(168, description="The same for one that came back.")
    allow: tuple[Network, ...] = Field(
        (), description="Networks that are never blocked, beside networks of ours and trusted_networks."
    )
    private: bool = Field(False, description="Whether addresses of private networks may be blocked.")
    logins_days: Annotated[int, Field(ge=0, le=365)] = Field(
        7,
        description="Addresses from which somebody logged in within so many days are spared; 0: none is.",
    )
    feed: bool = Field(
        False,
        description="Whether the list is given over TCP, too, as /v1/blocklist at the address of [metrics], "
        "to who shows its token.",
    )
    widest_v4: Annotated[int, Field(ge=8, le=32)] = Field(
        24, description="Shortest prefix of an IPv4 network that is blocked; wider ones are left out."
    )
    widest_v6: Annotated[int, Field(ge=16, le=128)] = Field(48, description="The same for IPv6.")
    most: Annotated[int, Field(ge=1, le=1_000_000)] = Field(
        10_000, description="Longest list; those that are blocked the longest are kept."
    )
