"""What discovery gives back."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

_LONGEST_RULE: Final = 70  # characters


@dataclass(frozen=True, slots=True)
class Found:
    """One live source of mail log lines.

    ``path`` is under the root that was searched: a log file, or for the kind ``journal`` the journal's
    directory.  ``why`` is a plain phrase, such as "rsyslog: mail.* in /etc/rsyslog.conf line 8".
    """

    path: Path
    why: str
    kind: Literal["file", "journal"] = "file"


def reason(daemon: str, rule: str, where: str) -> str:
    """Put the reason for a log into one phrase: whose rule it is, the rule (cut if long), where it stands."""
    shown = rule if len(rule) <= _LONGEST_RULE else rule[: _LONGEST_RULE - 3] + "..."
    return f"{daemon}: {shown} in {where}"


@dataclass(frozen=True, slots=True)
class Discovery:
    """The sources to read, in order, and those that are there but may not be read.

    ``unreadable`` also names configuration files that may not be read: what they say is not known.
    """

    found: tuple[Found, ...]
    unreadable: tuple[Found, ...]
