"""A message as a mail: plain text only, so that nothing in a log line can be markup.

Sources: RFC 5322 (Message-ID, References: the messages of one finding are one thread), RFC 3834
(Auto-Submitted), RFC 2047 and 8-bit text as the standard library writes them.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Final

from mailscope.watch.alerts.message import Message

# RFC 5322 section 2.1.1 allows 998.
LONGEST_HEADER: Final = 900
PRIORITY: Final = {"info": "5", "warning": "3", "critical": "1"}


def letter(message: Message, sender: str, recipients: Sequence[str], host: str) -> EmailMessage:
    """The mail."""
    mail = EmailMessage(policy=SMTP)
    mail["From"] = Address("Mailscope", addr_spec=sender)
    mail["To"] = [Address(addr_spec=recipient) for recipient in recipients]
    # A title is one printable line already; whatever else it holds is encoded.
    mail["Subject"] = message.title
    mail["Date"] = format_datetime(message.time.replace(tzinfo=UTC))
    mail["Message-ID"] = f"<{message.route}.{message.id}@{_domain(host)}>"
    if message.thread is not None:
        mail["References"] = f"<{message.route}.{message.thread}@{_domain(host)}>"
        mail["X-Mailscope-Finding"] = message.thread
    mail["X-Mailscope-Severity"] = message.severity
    mail["X-Priority"] = PRIORITY[message.severity]
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(message.text)
    # A subject is not folded: Python would begin some with an empty line, which programs show as a blank.
    mail.policy = SMTP.clone(max_line_length=LONGEST_HEADER)
    return mail


def _domain(host: str) -> str:
    return host if "." in host and ":" not in host else f"{host or 'mailscope'}.invalid".replace(":", "-")
