"""The roles that people have, and what each of them may do: the one place where that is said."""

from __future__ import annotations

from typing import Final, Literal

from mailscope.language.phrase import Phrase

Action = Literal[
    "look", "domains", "look up", "lines", "security", "sql", "handle", "queues", "store", "persons", "audit",
]  # fmt: skip
Role = Literal["admin", "operator", "auditor", "help desk", "domain owner"]

ACTIONS: Final[dict[Action, Phrase]] = {
    "look": Phrase("See figures of the whole host: overview, causes, trends, queues."),
    "domains": Phrase("See the figures of recipient domains."),
    "look up": Phrase("Follow messages, and see what is known of an address, a domain, an IP."),
    "lines": Phrase("See lines as they were logged, also while they come."),
    "security": Phrase("See attacks, findings, logins and the host itself."),
    "sql": Phrase("Ask the store in SQL."),
    "handle": Phrase("Acknowledge and mute findings, put marks on the time line."),
    "queues": Phrase("Hold, release, requeue and delete queued messages."),
    "store": Phrase("Load logs, seal, verify and back up the store."),
    "persons": Phrase("Give out or erase what is held of a person."),
    "audit": Phrase("See the settings, and who looked at whose data."),
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

# What they are called.
TITLES: Final[dict[Role, Phrase]] = {
    "admin": Phrase("admin"),
    "operator": Phrase("operator"),
    "auditor": Phrase("auditor"),
    "help desk": Phrase("help desk"),
    "domain owner": Phrase("domain owner"),
}
