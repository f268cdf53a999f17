"""Plain words for what a step means, with the fields that matter.

One short phrase per kind of event, the same for every MTA.  Where there is none, the pattern's own
``meaning`` says it.  Words of strangers (addresses, replies) are passed on as logged: whoever shows them
must make them safe first.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from mailscope.trails.narrative.trail import Step

Fields = dict[str, Any]
LOCAL: Final = ("local", "virtual", "pipe", "maildrop")
_DID: Final = re.compile(r"did_([0-9]+)\+([0-9]+)\+([0-9]+)/")
# A slash may also stand for itself (/bin/sh).
_QMAIL_LINE_END: Final = re.compile(r"\./|/(?=Remote host said|Giving up on|I'm not going to try again)")
_OWN_ID: Final = re.compile(r"^[0-9A-Za-z]{5,}: (?=.)")
_SENTENCE_END: Final = re.compile(r"\.$")


def words(step: Step, *, again: bool = False) -> str:
    """What happened, in a few words.  ``again``: the same kind of event was told of the message before."""
    if again and step.event == "queued":
        return "taken up again for another try"
    phrase = PHRASES.get(step.event)
    told = phrase(step, step.fields) if phrase else ""
    return told or _meaning(step) or step.text


def size(number: int | None) -> str:
    """Bytes in a readable unit (1 kB = 1000 bytes)."""
    if number is None:
        return "unknown size"
    if number < 1000:
        return f"{number} bytes"
    value = float(number)
    for unit in ("kB", "MB", "GB"):
        value /= 1000
        if value < 999.5 or unit == "GB":
            return f"{value:.1f} {unit}" if value < 10 else f"{value:.0f} {unit}"
    raise AssertionError("GB takes all")  # pragma: no cover


def client(fields: Fields) -> str:
    """The peer that connected to us."""
    return _peer(fields.get("client_host"), fields.get("client_ip")) or "a client"


def relay(fields: Fields) -> str:
    """The next hop."""
    return _peer(fields.get("relay_host"), fields.get("relay_ip")) or "the next hop"


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
    return _SENTENCE_END.sub("", step.meaning)


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
    if step.service == "qmail-send":
        return f"taken in as message {fields.get('queue_id')}"
    if step.service == "pickup":
        who = f"user {fields['uid']}" if "uid" in fields else "a user"
        again = f", queued before as {fields['orig_queue_id']}" if fields.get("orig_queue_id") else ""
        return f"handed in on this host by {who}, from {_address(fields.get('sender', ''))}{again}"
    told = f"taken in from {client(fields)}"
    if fields.get("sasl_user"):
        method = f" ({fields['sasl_method']})" if fields.get("sasl_method") else ""
        told += f", logged in as {fields['sasl_user']}{method}"
    if fields.get("orig_queue_id"):
        told += f", back from a filter (was {fields['orig_queue_id']})"
    elif fields.get("orig_client_ip") or fields.get("orig_client_host"):
        told += f", passed on for {_peer(fields.get('orig_client_host'), fields.get('orig_client_ip'))}"
    return told


def _identified(step: Step, fields: Fields) -> str:
    if "resent_message_id" in fields:
        return f"Resent-Message-ID {_address(fields['resent_message_id'])}"
    return f"Message-ID {_address(fields['message_id'])}" if fields.get("message_id") else "no Message-ID"


def _queued(step: Step, fields: Fields) -> str:
    count = fields.get("recipient_count")
    parts = [] if count is None else [f"{count} recipient" + ("" if count == 1 else "s")]
    parts.append(size(fields.get("size_bytes")))
    return f"queued: {', '.join(parts)}, from {_address(fields.get('sender', ''))}"


def _started(step: Step, fields: Fields) -> str:
    number, way = fields.get("delivery_id"), fields.get("transport", "")
    return f"{way} delivery {number} to {_address(fields.get('recipient'))} began".strip()


def _attempted(step: Step, fields: Fields) -> str:
    to = _address(fields.get("recipient"))
    if fields.get("orig_recipient"):
        to += f" (for {_address(fields['orig_recipient'])})"
    by = relay(fields)
    status = fields.get("status")
    if status == "sent":
        if _DID.search(str(fields.get("reason", ""))):
            return f"delivered to {to}: {reason(fields)}"
        if by in LOCAL or step.service in LOCAL:
            return f"delivered to {to} by {step.service or by}{_because(fields)}"
        return f"delivered to {to} via {by}{_because(fields)}"
    through = "" if by in ("none", "the next hop", *LOCAL, "remote") else f" by {by}"
    if status in ("deferred", "softbounce"):
        return f"put off for {to}{through}{_because(fields)}; it will be tried again"
    if status == "bounced":
        return f"refused for good for {to}{through}{_because(fields)}"
    if status == "expired":
        return f"given up for {to}, too long in the queue{_because(fields)}"
    return f"{status or 'tried'} for {to}{through}{_because(fields)}"


def _did(found: re.Match[str]) -> str:
    names = ("mailbox", "mailboxes"), ("forward", "forwards"), ("program", "programs")
    counts = [(int(number), name) for number, name in zip(found.groups(), names, strict=True)]
    told = [f"{number} {one if number == 1 else many}" for number, (one, many) in counts if number]
    return ", ".join(told) or "nothing was to be done"


def _notified(step: Step, fields: Fields) -> str:
    if "qp" in fields and "next_queue_id" not in fields:
        return f"bounce written for the sender (process {fields['qp']})"
    return f"{fields.get('reason', 'notification')} made, as {fields.get('next_queue_id')}"


def _removed(step: Step, fields: Fields) -> str:
    return "left the queue" + (f" ({fields['reason']})" if fields.get("reason") else "")


def _expired(step: Step, fields: Fields) -> str:
    if step.service == "postsuper":
        return "given up by an administrator"
    return "too old: given up and returned to the sender"


def _held(step: Step, fields: Fields) -> str:
    return f"put on hold{_because(fields)}"


def _released(step: Step, fields: Fields) -> str:
    return "released from hold"


def _requeued(step: Step, fields: Fields) -> str:
    return "put back into the queue by an administrator, to be processed anew"


def _deleted(step: Step, fields: Fields) -> str:
    return "deleted by an administrator"


def _discarded(step: Step, fields: Fields) -> str:
    if step.service == "qmail-send":
        return ""
    return f"accepted and thrown away{_because(fields)}"


def _rejected(step: Step, fields: Fields) -> str:
    stage = f" at {fields['stage']}" if fields.get("stage") else ""
    peer = f" from {client(fields)}" if fields.get("client_ip") or fields.get("client_host") else ""
    about = ""
    if fields.get("sender") is not None or fields.get("recipient") is not None:
        about = f" ({_address(fields.get('sender')) or '?'} to {_address(fields.get('recipient')) or '?'})"
    return f"refused{stage}{peer}{about}{_because(fields)}"


def _reject_warned(step: Step, fields: Fields) -> str:
    return f"a rule only warned{_because(fields)}"


def _redirected(step: Step, fields: Fields) -> str:
    return f"redirected by a rule{_because(fields)}"


def _filtered(step: Step, fields: Fields) -> str:
    if fields.get("action") == "proxy-accept":
        return f"the filter before the queue took it{_because(fields)}"
    return f"{fields.get('action', 'filter')} by a rule{_because(fields)}"


def _connected(step: Step, fields: Fields) -> str:
    return f"connection from {client(fields)}" if fields.get("client_ip") or fields.get("client_host") else ""


def _disconnected(step: Step, fields: Fields) -> str:
    return f"{client(fields)} disconnected" if fields.get("client_ip") or fields.get("client_host") else ""


def _lost(step: Step, fields: Fields) -> str:
    peer = client(fields) if fields.get("client_ip") or fields.get("client_host") else relay(fields)
    stage = f" after {fields['stage']}" if fields.get("stage") else ""
    return (
        f"connection with {peer} lost{stage}"
        if step.event == "connection_lost"
        else f"{peer} was silent too long{stage}"
    )


def _tls(step: Step, fields: Fields) -> str:
    return (
        f"TLS: {fields.get('tls_protocol', '')} {fields.get('tls_cipher', '')}".rstrip()
        if fields.get("tls_protocol")
        else ""
    )


def _login_failed(step: Step, fields: Fields) -> str:
    user = f" as {fields['sasl_user']}" if fields.get("sasl_user") else ""
    method = f" ({fields['sasl_method']})" if fields.get("sasl_method") else ""
    return (
        f"login{user} from {client(fields)} failed{method}{_because(fields)}"
        if fields.get("client_ip")
        else ""
    )


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
    "warned": _said,
    "failed": _said,
    "panicked": _said,
    "debugged": _said,
    "noted": _said,
    "unrecognised": _said,
}
