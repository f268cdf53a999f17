"""What the words of a delivery attempt tell beyond the fields that its pattern captures.

Postfix and qmail log the next hop's reply as free text; this step reads it, for a whole frame at a
time:

    250 2.0.0 Ok: queued as 4B5C8120A3                         the reply to a delivery that went well
    host mx.example.net[192.0.2.25] said: 550 5.1.1 ... (in reply to RCPT TO command)
    192.0.2.7_accepted_message./Remote_host_said:_250_ok/      qmail

``reply_code`` and ``dsn_status`` are the first reply's (a content filter may quote a second one);
``next_queue_id`` is the id in the last ``queued as`` of a reply that accepts the message, or what Exim
and sendmail say instead.  The remote wrote all of it: it is a claim of the next hop, not a fact.
"""

from __future__ import annotations

from typing import Final

import polars as pl

ATTEMPT: Final = "delivery_attempted"
REPLY_FIELDS: Final = ("reply_code", "dsn_status", "next_queue_id")
# Groups: reply code, enhanced status.
REPLY: Final = (
    r"^(?:delivery temporarily suspended: )?"
    r"(?:host [^ ]+ (?:said|refused to talk to me): |[^ /]*/Remote_host_said:_)?"
    r"([2-5][0-9][0-9])(?:[ _-](?:([245]\.[0-9]{1,3}\.[0-9]{1,3})(?:[ _/].*)?|.*))?$"
)
# qmail's own words carry the status in brackets.
QMAIL_STATUS: Final = r"^[^ (#]+\(#([245]\.[0-9]{1,3}\.[0-9]{1,3})\)"
_ID: Final = "([0-9A-Za-z](?:[0-9A-Za-z._+-]*[0-9A-Za-z])?)"
QUEUED_AS: Final = rf".*[Qq]ueued[ _]as[ _]{_ID}"
# Where a reply begins: with the words, behind qmail's, or (Exim's client, of a reply in lines) behind "\n".
_250: Final = r"(?:^|/Remote_host_said:_|\\n)250[ _]"
# Exim; Sendmail and OpenSMTPD; Exchange.
OTHER_IDS: Final = (
    rf"{_250}OK[ _]id={_ID}",
    rf"{_250}(?:2\.0\.0:?[ _])?{_ID}[ _]Message[ _]accepted[ _]for[ _]delivery",
    rf"{_250}.*\[InternalId=([0-9]+)",
)
# Sendmail logs a reply that accepts the message without its codes.
CODELESS: Final = (rf"^{_ID} Message accepted for delivery", rf"^[Oo][Kk]:? queued as {_ID}")


def completed(event: str, frame: pl.DataFrame) -> pl.DataFrame:
    """The fields of one line format, with what a reply tells where the event may hold one."""
    return with_replies(frame) if event == ATTEMPT and "reason" in frame.columns else frame


def with_replies(frame: pl.DataFrame) -> pl.DataFrame:
    """Complete ``reply_code``, ``dsn_status`` and ``next_queue_id`` of delivery attempts.

    In: a frame with a column ``reason``; the three others may be there, and are kept where they have
    a value.  Out: the frame with all three.
    """
    reason = pl.col("reason")
    found = frame.select(
        reply_code=reason.str.extract(REPLY, 1).cast(pl.Int64),
        dsn_status=pl.coalesce(reason.str.extract(REPLY, 2), reason.str.extract(QMAIL_STATUS, 1)),
        next_queue_id=pl.coalesce(reason.str.extract(pattern, 1) for pattern in (QUEUED_AS, *OTHER_IDS)),
    )
    for name in REPLY_FIELDS:
        if name in frame.columns:
            found = found.with_columns(pl.coalesce(frame[name], pl.col(name)).alias(name))
    accepted = pl.col("reply_code").is_between(200, 299)
    bare = pl.when(pl.col("reply_code").is_null()).then(
        pl.coalesce(pl.lit(frame["reason"]).str.extract(pattern, 1) for pattern in CODELESS)
    )
    return frame.with_columns(
        found.select(
            "reply_code",
            "dsn_status",
            pl.coalesce(pl.when(accepted).then(pl.col("next_queue_id")), bare).alias("next_queue_id"),
        ).get_columns()
    )
