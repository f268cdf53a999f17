"""Which programs' lines make sessions, and what ties the lines of one session together.

    postfix    smtpd, qmqpd: a process serves one client after the other, from "connect" to "disconnect"
    ucspi      tcpserver's child becomes rblsmtpd, qmail-smtpd or qmail-pop3d: all have the same process id
    dovecot    the session's handle, in the lines of the login process, auth and the session itself; where it
               is not logged, the id of the process that a login names (mpid)
    lmtp       Dovecot's lmtp: a process serves one MTA's connection after the other
    courier    the client's address and port
    opensmtpd  the session's handle

Sources: Postfix smtpd.c, ucspi-tcp tcpserver.c and rblsmtpd.c, Dovecot login-common and lmtp, Courier-IMAP
imapd.c and pop3dserver.c, OpenSMTPD smtp_session.c.  Where a line has nothing to tie it by (Dovecot 2.2's
sessions, Courier without ports), one that tells of a whole session (a failed login, the end) is a session by
itself, and others are left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

HANDLE: Final = "session_id"
OTHER_PROCESS: Final = "subject_pid"
PROCESS: Final = "pid"
PEER: Final = "peer"


@dataclass(frozen=True)
class Kind:
    """Lines of some programs that make sessions of one kind.

    ``ties``: what tells a session, the first that a line has counts.  ``begins`` and ``ends``: events that
    are a session's first and last line.  ``quiet``: a session with no line for so long is over.  ``program``:
    what the program's tag begins with, where services of several programs have the same name.
    """

    name: str
    services: tuple[str, ...]
    ties: tuple[str, ...]
    begins: frozenset[str]
    ends: frozenset[str]
    quiet: timedelta
    program: str = ""


DAY: Final = timedelta(days=1)
WEEK: Final = timedelta(days=7)
_CONNECT: Final = frozenset({"connected"})
_DISCONNECT: Final = frozenset({"disconnected"})
_GONE: Final = frozenset({"disconnected", "session_closed", "connection_lost", "connection_timed_out"})
# A login process writes one line when a client goes that has not logged in.
_LOGIN_ENDS: Final = frozenset({"login_failed", "lookup_failed", "tls_failed", "connection_denied"})
_DOVECOT: Final = "dovecot"

KINDS: Final[tuple[Kind, ...]] = (
    Kind("postfix", ("smtpd", "qmqpd"), (PROCESS,), _CONNECT, _DISCONNECT, DAY),
    Kind(
        "ucspi", ("tcpserver", "rblsmtpd"), (OTHER_PROCESS,),
        _CONNECT, frozenset({"session_closed"}), DAY,
    ),
    # Started by tcpserver, whose lines begin and end the session.
    Kind(
        "ucspi", ("qmail-smtpd", "qmail-pop3d", "spamdyke"), (OTHER_PROCESS, PROCESS, PEER),
        frozenset(), frozenset(), DAY,
    ),
    Kind(
        "dovecot", ("imap-login", "pop3-login", "managesieve-login", "sieve-login", "submission-login"),
        (HANDLE, OTHER_PROCESS), frozenset(), _GONE | _LOGIN_ENDS, WEEK, _DOVECOT,
    ),
    Kind(
        "dovecot",
        ("imap", "pop3", "managesieve", "submission", "imap-hibernate", "IMAP", "POP3", "MANAGESIEVE"),
        (HANDLE, PROCESS), frozenset(), _GONE, WEEK, _DOVECOT,
    ),
    Kind("dovecot", ("auth", "auth-worker"), (HANDLE,), frozenset(), frozenset(), WEEK, _DOVECOT),
    Kind("lmtp", ("lmtp",), (PROCESS,), _CONNECT, _DISCONNECT, DAY, _DOVECOT),
    Kind("courier", ("imapd", "pop3d", "imapd-ssl", "pop3d-ssl"), (PEER,), _CONNECT, _GONE, WEEK),
    Kind("opensmtpd", ("opensmtpd",), (HANDLE,), _CONNECT, _GONE, DAY),
)  # fmt: skip
# Events that sessions are made of.
EVENTS: Final = (
    "connected", "session_opened", "accepted", "delivery_attempted", "rejected", "tls_established",
    "login_succeeded", "login_failed", "policy_result", "lookup_failed", "tls_failed", "connection_denied",
    "connection_lost", "connection_timed_out", "session_closed", "disconnected",
)  # fmt: skip
