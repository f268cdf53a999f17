"""Plain words for what a step means, with the fields that matter.

One short phrase per kind of event, the same for every MTA.  Where there is none, the pattern's own
``meaning`` says it.  Phrases are in English and can be told in other languages (``language/``); words of the
log cannot.  Words of strangers (addresses, replies) are passed on as logged: whoever shows them
must make them safe first.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from mailscope.language.phrase import Clause, Phrase
from mailscope.trails.narrative import mailbox, verdicts
from mailscope.trails.narrative.trail import Step

Fields = dict[str, Any]
LOCAL: Final = ("local", "virtual", "pipe", "maildrop")
_DID: Final = re.compile(r"did_([0-9]+)\+([0-9]+)\+([0-9]+)/")
# A slash may also stand for itself (/bin/sh).
_QMAIL_LINE_END: Final = re.compile(r"\./|/(?=Remote host said|Giving up on|I'm not going to try again)")
_OWN_ID: Final = re.compile(r"^[0-9A-Za-z]{5,}: (?=.)")
# What qmail-local reports, for one and for more.
DID: Final = (
    (Phrase("1 mailbox"), Phrase("{n} mailboxes")),
    (Phrase("1 forward"), Phrase("{n} forwards")),
    (Phrase("1 program"), Phrase("{n} programs")),
)
STARTED: Final = {
    "local": Phrase("local delivery {number} to {to} began"),
    "remote": Phrase("remote delivery {number} to {to} began"),
    "": Phrase("delivery {number} to {to} began"),
}
_PUT_OFF: Final = Phrase("put off for {to}{because}; it will be tried again")
ATTEMPTED: Final = {
    "deferred": _PUT_OFF,
    "softbounce": _PUT_OFF,
    "bounced": Phrase("refused for good for {to}{because}"),
    "expired": Phrase("given up for {to}, too long in the queue{because}"),
}


def words(step: Step, *, again: bool = False) -> str:
    """What happened, in a few words.  ``again``: the same kind of event was told of the message before."""
    if again and step.event == "queued" and "recipient" not in step.fields:
        return Phrase("taken up again for another try")
    phrase = PHRASES.get(step.event)
    told = phrase(step, step.fields) if phrase else ""
    return told or _meaning(step) or step.text


def size(number: int | None) -> str:
    """Bytes in a readable unit (1 kB = 1000 bytes)."""
    if number is None:
        return Phrase("unknown size")
    if number < 1000:
        return Phrase("{n} bytes", n=number)
    value = float(number)
    for unit in ("kB", "MB", "GB"):
        value /= 1000
        if value < 999.5 or unit == "GB":
            return f"{value:.1f} {unit}" if value < 10 else f"{value:.0f} {unit}"
    raise AssertionError("GB takes all")  # pragma: no cover


def client(fields: Fields) -> str:
    """The peer that connected to us."""
    return _peer(fields.get("client_host"), fields.get("client_ip")) or Phrase("a client")


def relay(fields: Fields) -> str:
    """The next hop."""
    return _peer(fields.get("relay_host"), fields.get("relay_ip")) or Phrase("the next hop")


def reason(fields: Fields) -> str:
    """The words of a reply; qmail's, in which blanks are underlines and line ends slashes, made readable."""
    text = str(fields.get("reason", ""))
    if fields.get("delivery_id") is None:
        return text
    did = _DID.search(text)
    if did:
        return _did(did)
    text = _QMAIL_LINE_END.sub(". ", text.replace("_", " ")).removesuffix("/")
    return " ".join(text.split())


def _peer(host: str | None, ip: str | None) -> str:
    if host and ip and host not in ("unknown", ip):
        return f"{host} [{ip}]"
    if ip:
        return f"[{ip}]"
    return host or ""


def _address(value: str | None) -> str:
    return f"<{value}>" if value is not None else ""


def _meaning(step: Step) -> str:
    return Clause(step.meaning)


def _codes(fields: Fields) -> str:
    """Reply code and enhanced status, unless the words that follow begin with them anyway."""
    said = reason(fields)
    parts = [str(fields[name]) for name in ("reply_code", "dsn_status") if fields.get(name)]
    if fields.get("status") == "sent" and said:
        return ""  # 2.0.0 says nothing that the words do not
    # x.0.0 only repeats the class, and the words may quote the codes themselves.
    return " ".join(part for part in parts if part not in said and not part.endswith(".0.0"))


def outcome(fields: Fields) -> str:
    """Codes and words of an attempt's end."""
    return " ".join(part for part in (_codes(fields), reason(fields)) if part)


def _because(fields: Fields) -> str:
    told = outcome(fields)
    return f": {told}" if told else ""


def _accepted(step: Step, fields: Fields) -> str:
    queue_id, before = fields.get("queue_id"), fields.get("orig_queue_id")
    if step.service == "qmail-send":
        return Phrase("taken in as message {queue_id}", queue_id=queue_id)
    if step.service == "pickup":
        who = Phrase("user {uid}", uid=fields["uid"]) if "uid" in fields else Phrase("a user")
        sender = _address(fields.get("sender", ""))
        told = Phrase("handed in on this host by {who}, from {sender}", who=who, sender=sender)
        return Phrase("{told}, queued before as {queue_id}", told=told, queue_id=before) if before else told
    if before and step.service == "exim":
        return Phrase("{what} made, as {queue_id}", what=Phrase("notification"), queue_id=queue_id)
    if "user" in fields and not (fields.get("client_ip") or fields.get("client_host")):
        sender = _address(fields.get("sender", ""))
        return Phrase("handed in on this host by {who}, from {sender}", who=fields["user"], sender=sender)
    told = Phrase("taken in from {client}", client=client(fields))
    if fields.get("sasl_user"):
        told = Phrase("{told}, logged in as {user}", told=told, user=fields["sasl_user"] + _method(fields))
    if before:
        return Phrase("{told}, back from a filter (was {queue_id})", told=told, queue_id=before)
    if fields.get("orig_client_ip") or fields.get("orig_client_host"):
        original = _peer(fields.get("orig_client_host"), fields.get("orig_client_ip"))
        return Phrase("{told}, passed on for {client}", told=told, client=original)
    return told


def _method(fields: Fields) -> str:
    return f" ({fields['sasl_method']})" if fields.get("sasl_method") else ""


def _identified(step: Step, fields: Fields) -> str:
    if "resent_message_id" in fields:
        return f"Resent-Message-ID {_address(fields['resent_message_id'])}"
    if fields.get("message_id"):
        return f"Message-ID {_address(fields['message_id'])}"
    return Phrase("no Message-ID")


def _queued(step: Step, fields: Fields) -> str:
    n = fields.get("recipient_count")
    if n is None and "recipient" in fields:
        return ""  # one of OpenSMTPD's envelopes
    told = {"size": size(fields.get("size_bytes")), "sender": _address(fields.get("sender", ""))}
    if n is None:
        return Phrase("queued: {size}, from {sender}", **told)
    if n == 1:
        return Phrase("queued: 1 recipient, {size}, from {sender}", **told)
    return Phrase("queued: {n} recipients, {size}, from {sender}", n=n, **told)


def _started(step: Step, fields: Fields) -> str:
    told = {"number": fields.get("delivery_id"), "to": _address(fields.get("recipient"))}
    return Phrase(STARTED.get(fields.get("transport", ""), STARTED[""]), **told)


def _attempted(step: Step, fields: Fields) -> str:
    stored = mailbox.told(fields, _because(fields)) if "queue_id" not in fields else ""
    if stored:
        return stored
    to = _address(fields.get("recipient"))
    if fields.get("orig_recipient"):
        to = Phrase("{to} (for {original})", to=to, original=_address(fields["orig_recipient"]))
    by = relay(fields)
    status, because = fields.get("status"), _because(fields)
    if status == "sent":
        if _DID.search(str(fields.get("reason", ""))):
            return Phrase("delivered to {to}: {what}", to=to, what=reason(fields))
        if by in LOCAL or step.service in LOCAL:
            return Phrase("delivered to {to} by {by}{because}", to=to, by=step.service or by, because=because)
        return Phrase("delivered to {to} via {by}{because}", to=to, by=by, because=because)
    if by not in ("none", "the next hop", *LOCAL, "remote"):
        to = Phrase("{to} by {by}", to=to, by=by)
    if status in ATTEMPTED:
        return Phrase(ATTEMPTED[status], to=to, because=because)
    if status:
        return Phrase("{status} for {to}{because}", status=status, to=to, because=because)
    return Phrase("tried for {to}{because}", to=to, because=because)


def _did(found: re.Match[str]) -> str:
    """What qmail-local did: so many mailboxes, forwards and programs."""
    told: str = ""
    for number, (one, many) in zip(map(int, found.groups()), DID, strict=True):
        if number:
            part = one if number == 1 else Phrase(many, n=number)
            told = Phrase("{one}, {two}", one=told, two=part) if told else part
    return told or Phrase("nothing was to be done")


def _notified(step: Step, fields: Fields) -> str:
    if "qp" in fields and "next_queue_id" not in fields:
        return Phrase("bounce written for the sender (process {process})", process=fields["qp"])
    what, queue_id = fields.get("reason", Phrase("notification")), fields.get("next_queue_id")
    if queue_id is None:
        return Phrase("{what} made", what=what)
    return Phrase("{what} made, as {queue_id}", what=what, queue_id=queue_id)


def _removed(step: Step, fields: Fields) -> str:
    if fields.get("reason"):
        return Phrase("left the queue ({reason})", reason=fields["reason"])
    return Phrase("left the queue")


def _expired(step: Step, fields: Fields) -> str:
    if step.service == "postsuper":
        return Phrase("given up by an administrator")
    return Phrase("too old: given up and returned to the sender")


def _held(step: Step, fields: Fields) -> str:
    return Phrase("put on hold{because}", because=_because(fields))


def _released(step: Step, fields: Fields) -> str:
    return Phrase("released from hold")


def _requeued(step: Step, fields: Fields) -> str:
    return Phrase("put back into the queue by an administrator, to be processed anew")


def _deleted(step: Step, fields: Fields) -> str:
    return Phrase("deleted by an administrator")


def _discarded(step: Step, fields: Fields) -> str:
    if step.service == "qmail-send":
        return ""
    return Phrase("accepted and thrown away{because}", because=_because(fields))


def _rejected(step: Step, fields: Fields) -> str:
    stage = fields.get("stage")
    told = Phrase("refused at {stage}", stage=stage) if stage else Phrase("refused")
    if fields.get("client_ip") or fields.get("client_host"):
        told = Phrase("{told} from {client}", told=told, client=client(fields))
    if fields.get("sender") is not None or fields.get("recipient") is not None:
        sender, recipient = (_address(fields.get(name)) or "?" for name in ("sender", "recipient"))
        told = Phrase("{told} ({sender} to {recipient})", told=told, sender=sender, recipient=recipient)
    return Phrase("{told}{because}", told=told, because=_because(fields))


def _reject_warned(step: Step, fields: Fields) -> str:
    return Phrase("a rule only warned{because}", because=_because(fields))


def _redirected(step: Step, fields: Fields) -> str:
    sent_on = mailbox.sent_on(fields)
    if sent_on:
        return sent_on
    return Phrase("redirected by a rule{because}", because=_because(fields))


def _filtered(step: Step, fields: Fields) -> str:
    because, answered = _because(fields), mailbox.answered(fields)
    if answered:
        return answered
    if fields.get("action") == "proxy-accept":
        return Phrase("the filter before the queue took it{because}", because=because)
    return Phrase("{action} by a rule{because}", action=fields.get("action", "filter"), because=because)


def _connected(step: Step, fields: Fields) -> str:
    if fields.get("client_ip") or fields.get("client_host"):
        return Phrase("connection from {client}", client=client(fields))
    return ""


def _disconnected(step: Step, fields: Fields) -> str:
    if fields.get("client_ip") or fields.get("client_host"):
        return Phrase("{client} disconnected", client=client(fields))
    return ""


def _lost(step: Step, fields: Fields) -> str:
    peer = client(fields) if fields.get("client_ip") or fields.get("client_host") else relay(fields)
    lost, stage = step.event == "connection_lost", fields.get("stage")
    if stage:
        template = (
            Phrase("connection with {peer} lost after {stage}")
            if lost
            else Phrase("{peer} was silent too long after {stage}")
        )
        return Phrase(template, peer=peer, stage=stage)
    return Phrase(
        Phrase("connection with {peer} lost") if lost else Phrase("{peer} was silent too long"), peer=peer
    )


def _tls(step: Step, fields: Fields) -> str:
    return (
        f"TLS: {fields.get('tls_protocol', '')} {fields.get('tls_cipher', '')}".rstrip()
        if fields.get("tls_protocol")
        else ""
    )


def _login_failed(step: Step, fields: Fields) -> str:
    if not fields.get("client_ip"):
        return ""
    told = {"client": client(fields), "because": _method(fields) + _because(fields)}
    if fields.get("sasl_user"):
        return Phrase("login as {user} from {client} failed{because}", user=fields["sasl_user"], **told)
    return Phrase("login from {client} failed{because}", **told)


def _said(step: Step, fields: Fields) -> str:
    """Warnings and errors, and what no pattern knows, speak for themselves."""
    return _OWN_ID.sub("", step.text)


PHRASES: Final[dict[str, Callable[[Step, Fields], str]]] = {
    "accepted": _accepted,
    "identified": _identified,
    "queued": _queued,
    "delivery_started": _started,
    "delivery_attempted": _attempted,
    "bounced_to_sender": _notified,
    "removed": _removed,
    "expired": _expired,
    "held": _held,
    "released": _released,
    "requeued": _requeued,
    "deleted": _deleted,
    "discarded": _discarded,
    "rejected": _rejected,
    "reject_warned": _reject_warned,
    "redirected": _redirected,
    "filtered": _filtered,
    "connected": _connected,
    "disconnected": _disconnected,
    "connection_lost": _lost,
    "connection_timed_out": _lost,
    "tls_established": _tls,
    "login_failed": _login_failed,
    "signed": lambda _, fields: verdicts.signed(fields),
    "verified": lambda _, fields: verdicts.verified(fields),
    "scanned": lambda _, fields: verdicts.scanned(fields),
    "policy_result": lambda _, fields: verdicts.judged(fields),
    "warned": _said,
    "failed": _said,
    "panicked": _said,
    "debugged": _said,
    "noted": _said,
    "unrecognised": _said,
}
