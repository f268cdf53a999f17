"""A small log of which every figure is known, and figures as Prometheus would hold them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from prometheus_client.parser import text_string_to_metric_families

from mailscope.watch.metrics.exposition import page
from mailscope.watch.metrics.families import Values

Series = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def log_lines(begin: datetime, serial: int = 0) -> list[str]:
    """One message that is sent, one put off, one that bounces; a refusal, logins, and what no pattern knows."""
    sent, full, unknown = (f"{3 * serial + number:010X}" for number in (1, 2, 3))
    took_in = [
        line
        for queue_id, recipient in ((sent, "b"), (full, "full"), (unknown, "nobody"))
        for line in (
            f"postfix/smtpd[9]: {queue_id}: client=host.example.org[192.0.2.7]",
            f"postfix/cleanup[31]: {queue_id}: message-id=<{queue_id}.{recipient}@example.org>",
            f"postfix/qmgr[7]: {queue_id}: from=<a@example.org>, size=1000, nrcpt=1 (queue active)",
        )
    ]
    texts = [
        *took_in,
        f"postfix/smtp[44]: {sent}: to=<b@example.net>, relay=mx.example.net[198.51.100.2]:25, delay=2, "
        "delays=0.2/0.02/0.7/1.08, dsn=2.0.0, status=sent (250 2.0.0 Ok)",
        f"postfix/qmgr[7]: {sent}: removed",
        f"postfix/smtp[44]: {full}: to=<full@example.net>, relay=mx.example.net[198.51.100.2]:25, delay=1, "
        "delays=0.2/0/0.4/0.4, dsn=4.2.2, status=deferred (host mx.example.net[198.51.100.2] said: "
        "452 4.2.2 The email account that you tried to reach is over quota (in reply to RCPT TO command))",
        f"postfix/smtp[44]: {unknown}: to=<nobody@example.net>, relay=mx.example.net[198.51.100.2]:25, delay=1, "
        "delays=0.2/0/0.4/0.4, dsn=5.1.1, status=bounced (host mx.example.net[198.51.100.2] said: "
        "550 5.1.1 <nobody@example.net>: Recipient address rejected: User unknown (in reply to RCPT TO command))",
        f"postfix/qmgr[7]: {unknown}: removed",
        "postfix/smtpd[9]: NOQUEUE: reject: RCPT from unknown[203.0.113.5]: 554 5.7.1 <x@example.com>: Relay access "
        "denied; from=<y@example.com> to=<x@example.com> proto=ESMTP helo=<example.com>",
        "dovecot: imap-login: Login: user=<ann>, method=PLAIN, rip=192.0.2.8, lip=192.0.2.1, mpid=12, TLS, session=<s1>",
        "dovecot: imap-login: Disconnected (auth failed, 1 attempts in 2 secs): user=<bob>, method=PLAIN, "
        "rip=203.0.113.9, lip=192.0.2.1, TLS, session=<s2>",
        "postfix/smtpd[9]: fatal: open database /etc/postfix/access.db: No such file or directory",
        "strange[1]: nobody knows what this is",
    ]
    return [
        f"{(begin + timedelta(milliseconds=nth)).isoformat(timespec='microseconds')} mx {text}"
        for nth, text in enumerate(texts)
    ]


def utc_now() -> datetime:
    return datetime.now(UTC)


def series(text: str) -> Series:
    """A page in the text format, as Prometheus takes it."""
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def shown(values: Values) -> Series:
    return series(page(values)[0].decode())


def number(found: Series, name: str, **labels: str) -> float:
    return found[name, tuple(sorted(labels.items()))]
