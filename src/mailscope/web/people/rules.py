"""What each path of the API needs: who has no right to it gets no answer, and what has no rule here neither.

Pages bring their own rules (``pages`` names the action of each).  A test holds the routes against them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from re import Pattern
from typing import Final

from starlette.routing import compile_path


@dataclass(frozen=True)
class Rule:
    """``action``: what one must be allowed (None: to have logged in is enough); ``public``: not even that.

    ``limited``: whether it is answered to people who see some domains only; ``audited``: the name under which
    the guard enters it, where what answers does not do so itself; ``in_person``: not by a token.
    """

    path: str
    action: str | None = None
    methods: tuple[str, ...] = ("GET",)
    public: bool = False
    limited: bool = False
    audited: str = ""
    in_person: bool = False

    @cached_property
    def pattern(self) -> Pattern[str]:
        """What its paths look like."""
        return compile_path(self.path)[0]

    def fits(self, method: str, path: str) -> bool:
        """Whether it is about a request."""
        asked = "GET" if method == "HEAD" else method
        return asked in self.methods and self.pattern.match(path) is not None


POST: Final = ("POST",)
API: Final = (
    Rule("/healthz", public=True),
    Rule("/v1/openapi.json", limited=True),
    Rule("/metrics", "look"),
    Rule("/v1/status", "look"),
    Rule("/v1/tallies", "look", audited="tallies"),
    Rule("/v1/report", "look", audited="report"),
    Rule("/v1/logins", "security", audited="logins"),
    Rule("/v1/coverage", "lines"),
    Rule("/v1/trace", "look up", limited=True),
    Rule("/v1/about", "look up", limited=True),
    Rule("/v1/lines", "lines", POST),
    Rule("/v1/tail", "lines"),
    Rule("/v1/sql", "sql", POST),
    Rule("/v1/checks/{name}", "look", POST),
    Rule("/v1/blocklist", "security"),
    Rule("/v1/findings", "security"),
    Rule("/v1/findings/{name}", "security"),
    Rule("/v1/findings/{name}/handled", "handle", POST),
    Rule("/v1/silences", "handle", POST),
    Rule("/v1/marks", "handle", POST),
    Rule("/v1/person", "persons", POST),
    Rule("/v1/receipt", "persons", POST),
    Rule("/v1/erase", "persons", POST),
    Rule("/v1/ingest", "store", POST),
    Rule("/v1/store/seal", "store", POST),
    Rule("/v1/store/compact", "store", POST),
    Rule("/v1/store/verify", "store", POST),
    Rule("/v1/store/backup", "store"),
)
OWN: Final = (
    Rule("/login", methods=("GET", "POST"), public=True),
    Rule("/welcome", methods=("GET", "POST"), public=True),
    # What the login page is made of.
    Rule("/static/site.css", public=True),
    Rule("/static/icon.svg", public=True),
    Rule("/favicon.ico", public=True),
    Rule("/static/{path:path}", limited=True),
    Rule("/logout", methods=POST, limited=True, in_person=True),
    Rule("/account", limited=True, in_person=True),
    Rule("/account/password", methods=POST, limited=True, in_person=True),
    Rule("/account/second-factor", methods=POST, limited=True, in_person=True),
    Rule("/account/sessions", methods=POST, limited=True, in_person=True),
    Rule("/account/tokens", methods=POST, limited=True, in_person=True),
)


class Rules:
    """All of them, the first that fits first."""

    def __init__(self, more: Iterable[Rule] = ()) -> None:
        self.all: Sequence[Rule] = (*OWN, *API, *more)

    def rule(self, method: str, path: str) -> Rule | None:
        """The rule of a request; None where nothing is said about it."""
        return next((rule for rule in self.all if rule.fits(method, path)), None)

    def methods(self, path: str) -> list[str]:
        """By which methods a path is answered."""
        return sorted({method for rule in self.all if rule.pattern.match(path) for method in rule.methods})
