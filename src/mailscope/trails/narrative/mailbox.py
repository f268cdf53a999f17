"""The last step of a message: what the program that keeps the mailboxes did with it.

Dovecot's lmtp, lda and sieve, Cyrus' lmtpd.  The MTA only says "sent"; here it is told into which folder the
message went, or that a script of the user's threw it away, sent it on or answered it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from mailscope.language.phrase import Phrase
from mailscope.trails.narrative.trail import Step

Fields = Mapping[str, Any]
FULL: Final = "mailbox_full"
_OF_EVENT: Final = {
    "discarded": "discarded", "redirected": "forwarded", "rejected": "rejected", "filtered": "filtered",
    "failed": "failed",
}  # fmt: skip


def outcome_of(step: Step) -> str | None:
    """stored, discarded, forwarded, rejected, answered, filtered, duplicate, over_quota or failed.

    None for a line that tells of no fate.
    """
    fields = step.fields
    reason = str(fields.get("reason", ""))
    if step.event == "delivery_attempted":
        if fields.get("status") == "sent":
            return "stored" if "mailbox" in fields else "forwarded"
        return "over_quota" if fields.get("cause") == FULL else "failed"
    # A duplicate response is one that was not sent again; it says nothing of the message.
    if step.event in ("discarded", "noted") and "duplicate" in reason and "response" not in reason:
        return "duplicate"
    if step.event == "filtered" and fields.get("action") == "vacation":
        return "answered"
    return _OF_EVENT.get(step.event)


def told(fields: Fields, because: str) -> str:
    """What an attempt to put a message into a mailbox came to; empty for other attempts."""
    if "mailbox" not in fields:
        return ""
    words = {"mailbox": fields["mailbox"], "user": fields.get("user")}
    if fields.get("status") == "sent":
        return Phrase(STORED[bool(words["user"])], **words)
    return Phrase(NOT_STORED[bool(words["user"])], because=because, **words)


def answered(fields: Fields) -> str:
    """An answer that a script of the user's sent to somebody; empty for other lines."""
    if fields.get("action") != "vacation":
        return ""
    return Phrase("answered with a note of absence to {to}", to=f"<{fields.get('recipient', '')}>")


def sent_on(fields: Fields) -> str:
    """To whom a script of the user's sent the message; empty for other lines."""
    if not fields.get("recipient") or "reason" in fields:
        return ""
    to = f"<{fields['recipient']}>"
    if fields.get("user"):
        return Phrase("sent on to {to} by the filter script of {user}", to=to, user=fields["user"])
    return Phrase("sent on to {to} by a filter script", to=to)


STORED: Final = {
    True: Phrase("put into the mailbox {mailbox} of {user}"),
    False: Phrase("put into the mailbox {mailbox}"),
}
NOT_STORED: Final = {
    True: Phrase("not put into the mailbox {mailbox} of {user}{because}"),
    False: Phrase("not put into the mailbox {mailbox}{because}"),
}
