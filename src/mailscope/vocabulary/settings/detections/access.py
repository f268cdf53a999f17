"""Settings of detections that look at logins and accounts."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from mailscope.vocabulary.settings.values import Table

Count = Annotated[int, Field(ge=1, le=1_000_000)]
Seconds = Annotated[int, Field(ge=1, le=604_800)]
HistoryDays = Annotated[int, Field(ge=1, le=365)]
Score = Annotated[int, Field(ge=1, le=100)]
PrefixV4 = Annotated[int, Field(ge=8, le=32)]
PrefixV6 = Annotated[int, Field(ge=16, le=128)]


class BruteForce(Table):
    """One client, or several of one network, try passwords of one account."""

    enabled: bool = Field(True, description="Whether it is looked for.")
    window_s: Seconds = Field(600, description="Time over which failed logins are counted.")
    failures: Count = Field(20, description="So many failed logins of one account from one network.")
    slow_window_s: Seconds = Field(21_600, description="Time over which slow guessing is counted.")
    slow_failures: Count = Field(
        150, description="So many in that longer time, unless the user has logged in from there before."
    )


class PasswordSpraying(Table):
    """One network tries few passwords of many accounts, or a botnet does."""

    enabled: bool = Field(True, description="Whether it is looked for.")
    window_s: Seconds = Field(3_600, description="Time over which accounts are counted.")
    users: Count = Field(10, description="So many accounts at which logins from one network failed.")
    prefix_v4: PrefixV4 = Field(24, description="Bits that IPv4 addresses of one network share.")
    prefix_v6: PrefixV6 = Field(64, description="Bits that IPv6 addresses of one network share.")
    botnet_networks: Count = Field(
        40,
        description="Failed logins from so many networks at so many accounts or more, and far more than "
        "usual at this hour, are a botnet's; twice as many while there is no history to compare with.",
    )


class DistributedGuessing(Table):
    """Many clients try passwords of one account."""

    enabled: bool = Field(True, description="Whether it is looked for.")
    window_s: Seconds = Field(3_600, description="Time over which networks are counted.")
    networks: Count = Field(
        10, description="So many networks, from none of which the user has logged in, failed at one account."
    )
    slow_window_s: Seconds = Field(86_400, description="Time over which slow guessing is counted.")
    slow_networks: Count = Field(30, description="So many networks in that longer time.")


class NewLoginPlace(Table):
    """A login from a network, or country, from which this user never came."""

    enabled: bool = Field(True, description="Whether it is looked for.")
    history_days: HistoryDays = Field(
        7, description="Days with logins that must be known of a user before anything is new."
    )
    score: Score = Field(50, description="From this score on, of 100, it is told of.")
    usual_networks: Count = Field(
        3,
        description="A user who came from so many new networks in four weeks travels; new networks are "
        "normal.",
    )
    travel_s: Seconds = Field(
        3_600, description="Nobody gets from one country to another one in less than this time."
    )


class CompromisedAccount(Table):
    """An account that sends as it never did, because somebody else uses it."""

    enabled: bool = Field(True, description="Whether it is looked for.")
    recipients: Count = Field(
        40, description="An account that sent to fewer recipients within a day is not looked at."
    )
    score: Score = Field(60, description="From this score on, of 100, it is told of; from 80 on as critical.")
    history_days: HistoryDays = Field(
        5, description="Days with mail of an account from which on it is compared with its own past."
    )


class NewRootLogin(Table):
    """A session of root from a place from which there never was one."""

    enabled: bool = Field(True, description="Whether it is looked for.")
    history_days: HistoryDays = Field(
        3, description="Days that must have been watched before a place is new; but for guessed passwords."
    )


class PrivilegeMisuse(Table):
    """Somebody tries to get the rights of root, or uses them for the first time."""

    enabled: bool = Field(True, description="Whether it is looked for.")
    window_s: Seconds = Field(3_600, description="Time over which wrong passwords are counted.")
    passwords: Count = Field(6, description="So many wrong passwords of one user for sudo, su or doas.")
    su_failures: Count = Field(3, description="So many refused runs of su, which asks only once.")
    history_days: HistoryDays = Field(
        14, description="Days that must have been watched before a user's first command as root is told of."
    )
