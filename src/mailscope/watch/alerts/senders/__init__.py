"""The ways in which a message leaves the host, one per file.

In: a message, and the settings of a route.  Out: nothing, once it was taken; otherwise a MailscopeError, in
words without any secret.  Each reads its secrets anew for each message, so that they can be changed, and each
comes back within the route's time, whatever the other side does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from mailscope.vocabulary.settings.alerting import Route
from mailscope.watch.alerts.message import Sender


def _smtp(route: Route, host: str) -> Sender:
    from mailscope.watch.alerts.senders.smtp import SmtpSender

    return SmtpSender(route, host)


def _sendmail(route: Route, host: str) -> Sender:
    from mailscope.watch.alerts.senders.sendmail import SendmailSender

    return SendmailSender(route, host)


def _syslog(route: Route, host: str) -> Sender:
    from mailscope.watch.alerts.senders.syslog import SyslogSender

    return SyslogSender(route, host)


def _webhook(route: Route, host: str) -> Sender:
    from mailscope.watch.alerts.senders.webhook import WebhookSender

    return WebhookSender(route)


def _apprise(route: Route, host: str) -> Sender:
    from mailscope.watch.alerts.senders.services import ServicesSender

    return ServicesSender(route)


# By ``via``; each imports what it needs when it is first wanted.
SENDERS: Final[dict[str, Callable[[Route, str], Sender]]] = {
    "smtp": _smtp,
    "sendmail": _sendmail,
    "syslog": _syslog,
    "webhook": _webhook,
    "apprise": _apprise,
}


def sender(route: Route, host: str) -> Sender:
    """The way of a route; ``host``: what this host is called."""
    return SENDERS[route.via](route, host)
