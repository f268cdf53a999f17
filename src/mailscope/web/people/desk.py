"""Who sits at the other end of a request: found by a token, a session, or what a proxy of ours says."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING, Final

from starlette.requests import Request

from mailscope.web.people import accounts, sessions, tokens
from mailscope.web.people.accounts import Account
from mailscope.web.people.book import Book
from mailscope.web.people.roles import Action
from mailscope.web.people.sessions import Lasting
from mailscope.web.people.viewer import Viewer

if TYPE_CHECKING:
    from mailscope.vocabulary.settings.web import Web

# A name that browsers take from this very host only, and by TLS (RFC 6265bis, section 4.1.3.2).
SECURE_COOKIE, PLAIN_COOKIE = "__Host-mailscope", "mailscope"
BEARER: Final = "bearer "
WEB, PROXY, TOKEN = "web", "proxy", "token"


@dataclass(frozen=True)
class Came:
    """From where a request comes: the client's address; whether by TLS; whether by a proxy of ours."""

    address: str
    secure: bool
    by_proxy: bool

    @property
    def cookie(self) -> str:
        """The name of the session's cookie."""
        return SECURE_COOKIE if self.secure else PLAIN_COOKIE


@dataclass(frozen=True)
class Seat:
    """Who asks.  ``csrf``: what their forms bring back, "" where no browser sends anything by itself."""

    viewer: Viewer
    csrf: str = ""
    session: str = ""


@dataclass(frozen=True)
class Desk:
    """What is needed to know people: the book, the settings as they are now, and the audit."""

    book: Book
    settings: Callable[[], Web]
    audit: Callable[[str, str, str], None]

    @property
    def lasting(self) -> Lasting:
        """For how long sessions last."""
        settings = self.settings()
        return Lasting(settings.session_hours * 3600, settings.idle_minutes * 60)

    def came(self, request: Request) -> Came:
        """From where a request comes; only our own proxies are believed about others."""
        peer = request.client.host if request.client is not None else ""
        secure = request.url.scheme == "https"
        settings = self.settings()
        if not _within(peer, settings.proxies):
            return Came(peer, secure, by_proxy=False)
        said = [
            each.strip() for each in request.headers.get("x-forwarded-for", "").split(",") if each.strip()
        ]
        # Each proxy adds whom it has seen at the end; what stands before a stranger is the stranger's word.
        address = next((each for each in reversed(said) if not _within(each, settings.proxies)), peer)
        proto = request.headers.get("x-forwarded-proto", "").strip().lower()
        return Came(address, secure or proto == "https", by_proxy=True)

    def seat(self, request: Request, came: Came) -> Seat | None:
        """Who asks; None: nobody whom we know."""
        shown = request.headers.get("authorization", "")
        if shown:
            # Who shows something wrong is nobody, whatever else a browser sends along.
            return self._by_token(shown[len(BEARER) :].strip()) if shown.lower().startswith(BEARER) else None
        # Where a proxy of ours says who it is, an older session of somebody else does not count.
        return self._by_proxy(request, came) or self._by_session(request.cookies.get(came.cookie, ""))

    def _by_token(self, secret: str) -> Seat | None:
        token = tokens.found(self.book, secret)
        owner = self._open(token.account) if token is not None else None
        if token is None or owner is None:
            return None
        return Seat(_viewer(owner, f"{TOKEN} {token.name}", token.scope))

    def _by_session(self, secret: str) -> Seat | None:
        session = sessions.found(self.book, secret, self.lasting) if secret else None
        owner = self._open(session.account) if session is not None else None
        if session is None or owner is None:
            return None
        return Seat(_viewer(owner, WEB), self._csrf(session.proof), session.proof)

    def _by_proxy(self, request: Request, came: Came) -> Seat | None:
        header = self.settings().sign_on_header
        name = request.headers.get(header, "").strip().lower() if header and came.by_proxy else ""
        owner = self._open(name) if name else None
        return Seat(_viewer(owner, PROXY), self._csrf(f"{PROXY} {name}")) if owner is not None else None

    def _open(self, name: str) -> Account | None:
        found = accounts.account(self.book, name)
        return found if found is not None and not found.disabled else None

    def _csrf(self, of: str) -> str:
        return hmac.new(self.book.secret("csrf"), of.encode(), "sha256").hexdigest()


def _viewer(owner: Account, by: str, scope: frozenset[Action] | None = None) -> Viewer:
    return Viewer(owner.name, owner.role, owner.domains, owner.language, owner.zone, scope, by)


def _within(address: str, networks: tuple[str, ...]) -> bool:
    try:
        found = ip_address(address)
    except ValueError:
        return False
    return any(found in ip_network(network) for network in networks)
