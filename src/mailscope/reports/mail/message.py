"""The mail that carries a report: plain text, and HTML with its charts as pictures.

In: the report as plain data, a language, from whom and to whom.  Out: a message of RFC 5322, to be sent.

Charts are PNG parts that the HTML refers to (``cid:``, RFC 2392), as most webmail and Outlook drop inline
SVG; the tables say the same in figures for readers that show no pictures.

Sources: RFC 5322 (headers), RFC 2046 section 5.1.4 (multipart/alternative), RFC 2387 (multipart/related), RFC
3834 (Auto-Submitted, so that no vacation program answers).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, localtime, make_msgid
from typing import Any, Final

from markupsafe import Markup

from mailscope.language.phrase import Phrase
from mailscope.language.translator import Translator
from mailscope.reports.charts.chart import Chart
from mailscope.reports.document import document
from mailscope.reports.forms import html, text
from mailscope.reports.layout import Paper
from mailscope.vocabulary.errors import UsageError

# Characters of a subject that most programs show.
SUBJECT: Final = 120
DAYS: Final = Phrase("{start} to {end}")


def address(text: str, option: str) -> str:
    """An address as it may stand in a header and in an SMTP command; raises UsageError for what is none."""
    try:
        found = Address(addr_spec=text)
    except (ValueError, IndexError, MessageError):
        found = Address()
    if not (found.username and found.domain) or not (text.isascii() and text.isprintable()):
        raise UsageError(f"'{text}' is no address", option, "such as postmaster@example.org")
    return text


def letter(
    report: dict[str, Any],
    tr: Translator,
    paper: Paper,
    sender: str,
    recipients: Sequence[str],
    host: str,
    message_id: str | None = None,
) -> EmailMessage:
    """The message.

    ``host``: which host the report is of, for the subject and the Message-ID; ``message_id``: the latter,
    where it is to be the same each time that this report is made.
    """
    message = EmailMessage(policy=SMTP)
    message["From"] = Address("Mailscope", addr_spec=sender)
    message["To"] = [Address(addr_spec=recipient) for recipient in recipients]
    message["Subject"] = subject(report, tr, paper, host)
    message["Date"] = format_datetime(localtime())
    message["Message-ID"] = message_id or make_msgid(domain=host if "." in host else None)
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(text.written(report, tr, paper).decode())
    pictures: list[tuple[str, bytes]] = []

    def draw(chart: Chart) -> Markup:
        pictures.append((chart.name, chart.png()))
        return Markup('<img src="cid:{}@mailscope" width="640" alt="{}">').format(chart.name, chart.told)

    message.add_alternative(html.page(report, tr, paper, draw, mail=True), subtype="html")
    page = list(message.iter_parts())[-1]
    assert isinstance(page, EmailMessage)
    for name, png in pictures:
        page.add_related(
            png, "image", "png", cid=f"<{name}@mailscope>", filename=f"{name}.png", disposition="inline"
        )
    return message


def subject(report: dict[str, Any], tr: Translator, paper: Paper, host: str) -> str:
    """Which host, the worst that happened, and when, on one line."""
    page = document(report, tr, paper.safe)
    worst = tr("nothing wants attention")
    if page.problems:
        first = page.problems[0]
        worst = f"{first.count} {first.title}" if len(first.title) <= SUBJECT // 2 else first.title
    found = tr("{host}: {worst}, mail of {days}", host=host, worst=worst, days=_days(report, tr))
    return paper.fit(" ".join(found.split()), SUBJECT)


def _days(report: dict[str, Any], tr: Translator) -> str:
    """The days that the report covers."""
    start, end = report["period"]["start"], report["period"]["end"]
    if not (start and end):
        return f"{datetime.now(UTC):%Y-%m-%d}"
    first, last = start[:10], end[:10]
    return first if first == last else tr(DAYS, start=first, end=last)
