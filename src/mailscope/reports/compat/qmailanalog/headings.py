"""What stands above each report: the originals' own words, which are part of the format."""

from __future__ import annotations

from typing import Final

_REASON: Final = """\
* del is the number of deliveries that ended for this reason.
* xdelay is the total xdelay on those deliveries.
"""
_SENT: Final = """\
* mess is the number of messages sent by this {who}.
* bytes is the number of bytes sent by this {who}.
* sbytes is the number of bytes successfully received from this {who}.
* rbytes is the number of bytes from this {who}, weighted by recipient.
* recips is the number of recipients (success plus failure).
* tries is the number of delivery attempts (success, failure, deferral).
* xdelay is the total xdelay incurred by this {who}.
"""
_RECEIVED: Final = """\
* sbytes is the number of bytes successfully delivered to this {who}.
* mess is the number of messages sent to this {who} (success plus failure).
* tries is the number of delivery attempts (success, failure, deferral).
* xdelay is the total xdelay incurred by this {who}.
"""

ZOVERALL: Final = """\
Basic statistics

qtime is the time spent by a message in the queue.

ddelay is the latency for a successful delivery to one recipient---the
end of successful delivery, minus the time when the message was queued.

xdelay is the latency for a delivery attempt---the time when the attempt
finished, minus the time when it started. The average concurrency is the
total xdelay for all deliveries divided by the time span; this is a good
measure of how busy the mailer is.
"""
ZDDIST: Final = """\
Distribution of ddelays for successful deliveries

Meaning of each line: The first pct% of successful deliveries
all happened within doneby seconds. The average ddelay was avg.
"""
ZRXDELAY: Final = """\
Recipients in the best order for mailing lists

One line per recipient, sorted by avg. Information on each line:
* avg is the _average_ xdelay for the recipient.
* tries is the number of deliveries that avg is based on.
"""


def _table(title: str, per: str, columns: str) -> str:
    return f"{title}\n\nOne line per {per}. Information on each line:\n{columns}"


ZDEFERRALS: Final = _table("Reasons for deferral", "reason for deferral", _REASON)
ZFAILURES: Final = _table("Reasons for failure", "reason for delivery failure", _REASON)
ZSUCCESSES: Final = _table("Reasons for success", "reason for successful delivery", _REASON)
ZSENDERS: Final = _table("Senders", "sender", _SENT.format(who="sender"))
ZSUIDS: Final = _table("Sender uids", "sender uid", _SENT.format(who="uid"))
ZRECIPIENTS: Final = _table("Recipients", "recipient", _RECEIVED.format(who="recipient"))
ZRHOSTS: Final = _table("Recipient hosts", "recipient host", _RECEIVED.format(who="host"))
