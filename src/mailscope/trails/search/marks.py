"""What raw lines say about queue ids: whose line it is, whether a message begins, which other it names.

``MARKS`` is the one table of the phrases by which an MTA names another message.  The search uses it on
bytes, the narrative on text.

Sources: Postfix 3.7 (smtp, local/forward.c, bounce, pickup, smtpd's XFORWARD IDENT), qmail-send.c and
qmail-local.c of notqmail, qmail-smtpd's reply ``ok TIME qp PID``, amavisd-new's log template; Exim 4.96
(receive.c, smtp_in.c), Sendmail 8.17 (srvrsmtp.c, savemail.c), OpenSMTPD 6.8 (smtp_session.c, mta.c);
Dovecot 2.3 and 2.4 (lmtp-local.c, lmtp-recipient.c, mail-deliver.c), Cyrus 3.10 (append.c, lmtp_sieve.c).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

from mailscope.recognise.tokens import TOKENS

ID: Final = TOKENS["queue_id"]
EXIM: Final = TOKENS["exim_id"]
SENDMAIL: Final = TOKENS["sendmail_id"]
COURIER: Final = TOKENS["courier_id"]
QUEUE: Final = TOKENS["queue"].encode()


@dataclass(frozen=True)
class Mark:
    """A phrase that names another message.

    ``points`` says whether the one that is named came later ("on") or was before ("back"); ``names``
    whether by queue id or by the pid of qmail-queue (``qp``), which only an ``info msg`` line resolves.
    """

    kind: str
    points: Literal["on", "back"]
    names: Literal["queue_id", "qp"]
    text: str

    @property
    def regex(self) -> re.Pattern[str]:
        """For text; group 1 is the id."""
        return re.compile(self.text, re.ASCII)


MARKS: Final = (
    # The next hop's reply; a content filter's when the id is one of this host.
    Mark("relayed", "on", "queue_id", rf"queued[ _]as:?[ _]({ID})(?![0-9A-Za-z])"),
    Mark("relayed", "on", "qp", r"[ _]ok[ _][0-9]{9,11}[ _]qp[ _]([0-9]+)"),
    Mark("forwarded", "on", "queue_id", rf"\(forwarded as ({ID})\)"),
    Mark("forwarded", "on", "qp", r"did_[0-9]+\+[0-9]+\+[0-9]+/qp[_-]([0-9]+)/"),
    Mark("bounced", "on", "queue_id", rf": (?:sender|postmaster) non-delivery notification: ({ID})$"),
    Mark("bounced", "on", "qp", r"bounce msg [0-9]+ qp ([0-9]+)"),
    Mark(
        "notified", "on", "queue_id",
        rf": (?:(?:sender|postmaster) delay|sender delivery status) notification: ({ID})$",
    ),
    Mark("relayed", "on", "queue_id", rf"OK[ _]id=({EXIM})"),
    Mark(
        "relayed", "on", "queue_id",
        rf"[ _(:]({SENDMAIL}|[0-9a-f]{{8}})[ _]Message[ _]accepted[ _]for[ _]delivery",
    ),
    Mark("bounced", "on", "queue_id", rf": ({SENDMAIL}): (?:DSN|return to sender): "),
    Mark("notified", "on", "queue_id", rf": ({SENDMAIL}): (?:sender|postmaster) notify: "),
    Mark("bounced", "back", "queue_id", rf" <= <> R=({EXIM}) "),
    Mark("requeued", "back", "queue_id", rf" orig_id=({ID})$"),
    Mark("filtered", "back", "queue_id", rf", orig_queue_id=({ID})(?:,|$)"),
)  # fmt: skip
_BYTES: Final = tuple((mark, re.compile(mark.text.encode())) for mark in MARKS)
# Cheaper than a dozen searches in each line: no mark matches a line without one of these.
_ANY: Final = re.compile(
    rb"queued[ _]as|forwarded as|notification: |[ _]qp[ _]|/qp[_-]|orig_id=|orig_queue_id="
    rb"|OK[ _]id=|Message[ _]accepted|: DSN: |: return to sender: | notify: | <= <> R="
)

_OWN: Final = re.compile(rb"(?:(?:warning|error|fatal|panic): )?([0-9A-Za-z][0-9A-Za-z._+-]*): ")
_QMAIL_OWN: Final = re.compile(
    rb"(?:(?:^|[ ])(?:(?:new|info|end|bounce) msg |starting delivery [0-9]+: msg )([0-9]+)"
    rb"(?:: | to | qp |(?: %s)?\r?$)"
    rb"|(?:double|triple) bounce: discarding bounce/([0-9]+))" % QUEUE
)
_VALID: Final = re.compile("|".join((ID, SENDMAIL, EXIM, COURIER)).encode())
# Exim's ids stand before a blank, in its own files right behind the stamp; OpenSMTPD's behind a word.
_EXIM_OWN: Final = re.compile(rb"(?:^|[\] 0-9]) (%s) " % EXIM.encode())
_EXIM_FILE: Final = re.compile(
    rb"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9:.]{8,12} (?:[+-][0-9]{4} )?(?:\[[0-9]+\] )?%s " % EXIM.encode()
)
_OPENSMTPD_OWN: Final = re.compile(
    rb" (?:msgid=|evpid=|Accepted message |(?:relay|delivery): [A-Za-z]+ for )"
    rb"([0-9a-f]{8})(?:[0-9a-f]{8})?[ :]"
)
_COURIER_OWN: Final = re.compile(rb"(?:^|[ ,])id=(%s)(?:[,:]|\r?$)" % COURIER.encode())
_BEGIN: Final = re.compile(
    rb": (?:client=|uid=[0-9]+ from=|from=[^ ]*, size=[0-9]+, class=)|(?:^|[ ])new msg [0-9]+\r?$"
    rb"| <= | smtp (?:event=)?message |: Accepted message |(?:^|[ ])newmsg,id="
)
_PLACE: Final = re.compile(
    rb"(?:<[^>]{1,20}>[0-9]? ?)?(?:[A-Z][a-z]{2} [ 0-9][0-9] [0-9:]{8} |[0-9]{4}-[^ ]+ )([^ ]+) "
)
# IndiMail numbers the deliveries of each of its queues by themselves, and names the queue at the end.
_QUEUE: Final = re.compile(rb" (?:%s)\r?$" % QUEUE)
_START: Final = re.compile(rb"(?:^|[ ])starting delivery ([0-9]+): msg ([0-9]+) to ")
_RESULT: Final = re.compile(rb"(?:^|[ ])delivery ([0-9]+): (?!msg )")
_INFO_QP: Final = re.compile(rb"(?:^|[ ])info msg ([0-9]+): bytes? .* qp ([0-9]+) uid [0-9]+\r?$")
_MESSAGE_ID: Final = re.compile(rb": (?:resent-)?message-id=<?([^>\s]{3,})>?(?:\s|$)")
# How those name it that were handed the message itself: spamd, amavis, Rspamd, Mailman, Dovecot, Cyrus.
_MENTIONED: Final = re.compile(
    rb"(?i)(?:\bid|mid|msgid|message-id|message|delivered:|redirected:|discarded:|rejected:)"
    rb"[=:]? ?'?<([^>\s]{3,})>"
    rb"|\([0-9]+\) (?:[A-Z]+: )?<([^>\s]{3,})>"  # Mailman 3, behind its process id
)
# Sieve's answers have Message-IDs of this beginning.
ANSWER: Final = "dovecot-sieve-"
ANSWER_NEEDLE: Final = b"message-id=<" + ANSWER.encode()
# Dovecot's session: told to the MTA in its reply (lmtp-local.c), and in the prefix of its own lines.
_SESSION: Final = rb"[A-Za-z0-9+/]{20,}(?::[A-Za-z0-9]+)*"
_SESSION_TOLD: Final = re.compile(rb"> (%s) Saved\b" % _SESSION)
_SESSION_OWN: Final = re.compile(rb"(?:<|: )(%s)(?:>|: )" % _SESSION)
# What a mailbox program did with a message.
_STORED: Final = re.compile(
    rb"saved? (?:mail|failed) to |stored? (?:mail )?into mailbox |: forwarded to <|Delivered: "
    rb"|duplicate message|sent vacation response|discard|sieve redirected"
)
_TAG: Final = re.compile(rb"[^ \[\]]+\[[0-9]+\]: ")


def own_id(line: bytes, wanted: object = ()) -> bytes | None:
    """The queue id that a line is about; ids that are not of a known form only if ``wanted`` has them."""
    at = line.find(b": ")
    found = _OWN.match(line, at + 2) if at >= 0 else None
    if found and _is_id(found[1], wanted):
        return found[1]
    # No tag before the id (RFC 5424 keeps it apart), or none at all.
    first = line[line.rfind(b" ", 0, at) + 1 : at] if at >= 0 else b""
    if first and _is_id(first, wanted):
        return first
    other = _EXIM_OWN.search(line, 0, 160) or _OPENSMTPD_OWN.search(line) or _COURIER_OWN.search(line, 0, 160)
    if other:
        return other[1]
    qmail = _QMAIL_OWN.search(line)
    return qmail[1] or qmail[2] if qmail else None


def _is_id(token: bytes, wanted: object) -> bool:
    return _VALID.fullmatch(token) is not None or token in wanted  # type: ignore[operator]


def begins(line: bytes) -> bool:
    """Whether this is the line with which a new message takes its id."""
    return _BEGIN.search(line, 0, 400) is not None


def named(line: bytes) -> list[tuple[Mark, bytes]]:
    """The other messages that a line names."""
    if not _ANY.search(line):
        return []
    return [(mark, found[1]) for mark, regex in _BYTES for found in regex.finditer(line)]


def place(line: bytes) -> bytes:
    """The host that logged the line, where the envelope tells it; ids are unique only there."""
    if _EXIM_FILE.match(line):
        return b""
    found = _PLACE.match(line)
    return found[1] if found else b""


def started(line: bytes) -> tuple[bytes, bytes] | None:
    """Delivery number and message number of qmail's ``starting delivery``."""
    found = _START.search(line)
    return (found[1] + _queue(line), found[2]) if found else None


def ended(line: bytes) -> bytes | None:
    """Delivery number of qmail's ``delivery N: success ...``, which names no message."""
    found = _RESULT.search(line)
    if found is None or line[: found.start(1)].endswith(b"starting delivery "):
        return None
    return found[1] + _queue(line)


def _queue(line: bytes) -> bytes:
    found = _QUEUE.search(line)
    return found[0].rstrip() if found else b""


def info_qp(line: bytes) -> tuple[bytes, bytes] | None:
    """Message number and ``qp`` of qmail's ``info msg``."""
    found = _INFO_QP.search(line)
    return (found[1], found[2]) if found else None


def message_id(line: bytes) -> bytes | None:
    """The Message-ID that a line logs for its message."""
    found = _MESSAGE_ID.search(line)
    return found[1] if found else None


def mentioned(line: bytes) -> bytes | None:
    """The Message-ID that a line of a filter or list manager names."""
    found = _MENTIONED.search(line)
    return found[1] or found[2] if found else None


def answered(line: bytes) -> bool:
    """Whether a line tells that a Sieve script answered a message."""
    return b": sent vacation response to <" in line


def session_told(line: bytes) -> bytes | None:
    """The session of Dovecot's that took a message from the MTA, as its reply names it."""
    found = _SESSION_TOLD.search(line) if b" Saved" in line else None
    return found[1] if found else None


def session_own(line: bytes) -> bytes | None:
    """The session that a line of Dovecot's is of."""
    found = _SESSION_OWN.search(line)
    return found[1] if found else None


def stores(line: bytes) -> bool:
    """Whether a line may tell what became of a message in a mailbox (its pattern decides)."""
    return _STORED.search(line) is not None


def tag(line: bytes) -> bytes | None:
    """``program[pid]: `` of a line."""
    found = _TAG.search(line, 0, 300)
    return found[0] if found else None
