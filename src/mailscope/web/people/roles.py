"""The roles that people have, and what each of them may do: the one place where that is said."""

from __future__ import annotations

from typing import Final, Literal

Action = Literal[
    "look", "domains", "look up", "lines", "security", "sql", "handle", "queues", "store", "persons", "audit",
    "people",
]  # fmt: skip
Role = Literal["admin", "operator", "auditor", "help desk", "domain owner"]

ACTIONS: Final[dict[Action, str]] = {
    "look": "See figures of the whole host: overview, causes, trends, queues.",
    "domains": "See the figures of recipient domains.",
    "look up": "Follow messages, and see what is known of an address, a domain, an IP.",
    "lines": "See lines as they were logged, also while they come.",
    "security": "See attacks, findings, logins and the host itself.",
    "sql": "Ask the store in SQL.",
    "handle": "Acknowledge and mute findings, put marks on the time line.",
    "queues": "Hold, release, requeue and delete queued messages.",
    "store": "Load logs, seal, verify and back up the store.",
    "persons": "Give out or erase what is held of a person.",
    "audit": "See the settings, and who looked at whose data.",
    "people": "Look after the accounts of others.",
}
_READING: Final[frozenset[Action]] = frozenset({"look", "domains", "look up", "lines", "security", "sql"})
ROLES: Final[dict[Role, frozenset[Action]]] = {
    "admin": frozenset(ACTIONS),
    "operator": _READING | {"handle", "queues"},
    "auditor": _READING | {"audit"},
    "help desk": frozenset({"look", "domains", "look up"}),
    # Only of the domains that the account names; see ``masking.py``.
    "domain owner": frozenset({"domains", "look up"}),
}
# Roles that see the mail of given domains only.
LIMITED: Final[frozenset[Role]] = frozenset({"domain owner"})
