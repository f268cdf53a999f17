"""Who looks, and what they may see: every page and every answer asks a ``Viewer``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from fastapi import Request

from mailscope.web.people.masking import Masking
from mailscope.web.people.roles import LIMITED, ROLES, Action, Role

# Where the guard leaves what it has found, in the state of a request.
VIEWER: Final = "viewer"
CSRF: Final = "csrf"


@dataclass(frozen=True)
class Viewer:
    """Somebody who looks at pages or asks the API.

    ``domains``: of a domain owner, in lower case; ``language`` and ``zone``: "" where the account names none;
    ``scope``: what a token narrows the role to (None: all of it); ``by``: how they came, for the audit.
    """

    name: str
    role: Role = "admin"
    domains: tuple[str, ...] = ()
    language: str = ""
    zone: str = ""
    scope: frozenset[Action] | None = None
    by: str = ""

    def may(self, action: str) -> bool:
        """Whether something is allowed (``roles.py``)."""
        return action in ROLES[self.role] and (self.scope is None or action in self.scope)

    @property
    def limited(self) -> bool:
        """Whether only the mail of some domains may be seen."""
        return self.role in LIMITED

    @property
    def masking(self) -> Masking:
        """What hides the addresses of others in any text; only for who is limited."""
        return Masking(self.domains)

    @property
    def only(self) -> Masking | None:
        """The same; None for who sees all domains."""
        return self.masking if self.limited else None

    def sees(self, domain: str | None) -> bool:
        """Whether the mail of a domain may be seen."""
        return not self.limited or self.masking.ours(domain or "")

    def party(self, sender: str | None, *recipients: str | None) -> bool:
        """Whether a message or delivery is theirs to see, as it is from or to one of their domains."""
        return not self.limited or any(self.masking.address(each) for each in (sender, *recipients))

    def masked(self, address: str) -> str:
        """A mail address, or any text that may hold some, as it may be seen."""
        return self.masking.text(address) if self.limited else address

    @property
    def signature(self) -> str:
        """As the audit names them."""
        return f"{self.name} ({self.by})" if self.by else self.name


# Who has not logged in.
NOBODY: Final = Viewer("nobody", scope=frozenset())


def viewer(request: Request) -> Viewer:
    """Who asks, as the guard has found.  Raises RuntimeError where no guard stands before it."""
    found = getattr(request.state, VIEWER, None)
    if not isinstance(found, Viewer):
        raise RuntimeError("nobody has found out who asks")
    return found


def csrf_token(request: Request) -> str:
    """What a form of this viewer must bring back as ``csrf``, or a script as the header X-CSRF-Token."""
    return str(getattr(request.state, CSRF, ""))
