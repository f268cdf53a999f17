"""Words about findings that all have in common who tell of them: commands, messages, pages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from mailscope.language.phrase import Phrase
from mailscope.language.translator import Translator
from mailscope.watch.finding import Severity

SEVERITY: Final[Mapping[Severity, Phrase]] = {
    "info": Phrase("info"),
    "warning": Phrase("warning"),
    "critical": Phrase("critical"),
}
# What people do about findings (``store/findings.py``).
HANDLED: Final[Mapping[str, Phrase]] = {
    "acknowledged": Phrase("acknowledged"),
    "muted": Phrase("muted"),
    "unmuted": Phrase("unmuted"),
    "noted": Phrase("noted"),
}
# What is known of a detection (``About``), in the order in which it is told.
MEANING: Final[Mapping[str, Phrase]] = {
    "sees": Phrase("What it sees: {words}"),
    "why": Phrase("Why it matters: {words}"),
    "false_positives": Phrase("False positives: {words}"),
    "advice": Phrase("What to do: {words}"),
}
# What the figures of findings are called; the names themselves are those of JSON.
FIGURES: Final[Mapping[str, Phrase]] = {
    "accepted": Phrase("recipients accepted"),
    "addresses": Phrase("addresses"),
    "at_least": Phrase("limit"),
    "blocked": Phrase("messages blocked"),
    "bounced": Phrase("deliveries that came back"),
    "cases": Phrase("past deliveries compared"),
    "connections": Phrase("connections"),
    "days": Phrase("days left"),
    "days_known": Phrase("days of history"),
    "deliveries": Phrase("deliveries"),
    "domains": Phrase("domains"),
    "events": Phrase("events"),
    "expected_lines": Phrase("lines usual meanwhile"),
    "failed": Phrase("failed logins"),
    "failures": Phrase("failures"),
    "failures_before": Phrase("failed logins before"),
    "fresh": Phrase("recipients never written to"),
    "history_hours": Phrase("hours of history"),
    "limit": Phrase("limit"),
    "lines": Phrase("log lines"),
    "lost": Phrase("failed recipients"),
    "mean_s": Phrase("mean time (s)"),
    "message_id": Phrase("message id"),
    "messages": Phrase("messages"),
    "messages_to_many": Phrase("messages to many"),
    "networks": Phrase("networks"),
    "networks_known": Phrase("networks known before"),
    "oldest_s": Phrase("age of the oldest (s)"),
    "our_address": Phrase("our address"),
    "passes": Phrase("times it came by"),
    "passwords": Phrase("wrong passwords"),
    "peers": Phrase("peers"),
    "providers": Phrase("providers"),
    "recipients": Phrase("recipients"),
    "refused": Phrase("refused"),
    "relayed": Phrase("messages passed on"),
    "seconds": Phrase("seconds"),
    "senders": Phrase("sender addresses"),
    "slow": Phrase("slow deliveries"),
    "taken": Phrase("messages taken"),
    "targets": Phrase("domains tried"),
    "throttled": Phrase("messages put off"),
    "unrecognised": Phrase("lines not recognised"),
    "users": Phrase("users"),
    "usual": Phrase("usual"),
    "usual_networks": Phrase("usual number of networks"),
    "usual_share": Phrase("usual share"),
    "value": Phrase("value"),
    "waiting": Phrase("messages waiting"),
    "window_s": Phrase("counted over (s)"),
}


def figure(tr: Translator, name: str) -> str:
    """What a figure is called."""
    return tr(FIGURES[name]) if name in FIGURES else name.replace("_", " ")
