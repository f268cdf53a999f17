"""A session in plain words: who the client was, how long it stayed and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from mailscope.language.phrase import Phrase

RESULTS: Final = {
    "accepted": (Phrase("1 message taken in"), Phrase("{n} messages taken in")),
    "rejected": (Phrase("1 refusal"), Phrase("{n} refusals")),
    "login_failed": (Phrase("1 failed login"), Phrase("{n} failed logins")),
}
_COUNTS: Final = {"accepted": "messages", "rejected": "refusals", "login_failed": "login_failures"}
ENDS: Final = {
    "lost": Phrase("connection lost"),
    "timed_out": Phrase("timed out"),
    "denied": Phrase("refused"),
    "failed": Phrase("failed"),
}


def facts(session: Mapping[str, Any]) -> list[str]:
    """What is known of a session, in a few phrases."""
    host, ip = session["client_host"], session["client_ip"]
    client = f"{host} [{ip}]" if host and ip and host not in ("unknown", ip) else f"[{ip}]" if ip else host
    told: list[str] = [
        Phrase("{service} session of {client}", service=session["service"], client=client or "?")
    ]
    if session["start"] is not None and session["end"] is not None:
        seconds = (session["end"] - session["start"]).total_seconds()
        told.append(Phrase("{seconds} s", seconds=f"{seconds:g}"))
    if session["logins"]:
        told.append(Phrase("logged in as {user}", user=session["user"]))
    if session["tls_protocol"]:
        told.append(session["tls_protocol"])
    for result, (one, many) in RESULTS.items():
        number = session[_COUNTS[result]]
        if number:
            told.append(one if number == 1 else Phrase(many, n=number))
    if session["ended"] in ENDS:
        told.append(ENDS[session["ended"]])
    return told
