"""How sure it is that one message became another, and what speaks for it.

What is told                          | on one host | from host to host
--------------------------------------|-------------|------------------------------------------------------
the other's queue id (or qmail's pid) | certain     | certain if anything below agrees, else likely;
                                      |             | if the Message-IDs differ: possible if a name agrees,
                                      |             | else none: the id is another message's
the same Message-ID, no id            | likely      | likely if a name agrees, or the envelope does and the
                                      |             | relay has no name; else possible
a program says that it handed it on   | certain     |

What agrees: the Message-ID; the relay's name and the host that has the later message (``relay_host``); the
client's name and the host that had the earlier one (``client_host``); sender and recipient.  A queue id is
what a remote server claims, and is used again; a Message-ID is what a sender chose; a name is what DNS says.
All of them hold only for messages of the right time (``links``), give or take what hosts' clocks differ by.
"""

from __future__ import annotations

from typing import Any, Final, Literal

from mailscope.trails.narrative.trail import Step, Trail

Confidence = Literal["certain", "likely", "possible"]
NAMES: Final = frozenset({"relay_host", "client_host"})
ENVELOPE: Final = frozenset({"sender", "recipient"})
# What a host calls itself says nothing of which host it is.
NOBODY: Final = frozenset({"localhost", "unknown", "local", ""})


def agreements(earlier: Trail, later: Trail, step: Step | None) -> tuple[str, ...]:
    """What two messages agree in; ``step``: the earlier one's delivery that may have led to the later."""
    delivery: dict[str, Any] = step.fields if step is not None else {}
    recipients = {(each.recipient or "").lower() for each in later.recipients}
    told = {
        "message_id": bool(earlier.message_id) and earlier.message_id == later.message_id,
        "relay_host": same_host(delivery.get("relay_host"), later.host),
        "client_host": same_host(client_of(later).get("client_host"), earlier.host),
        "sender": earlier.sender is not None and earlier.sender == later.sender,
        "recipient": (delivery.get("recipient") or "\n").lower() in recipients,
    }
    return tuple(name for name, agrees in told.items() if agrees)


def of_told_id(earlier: Trail, later: Trail, agrees: tuple[str, ...]) -> Confidence | None:
    """How sure a link is that a queue id shows; None: that id is another message's."""
    if earlier.host == later.host:
        return "certain"
    if earlier.message_id and later.message_id and earlier.message_id != later.message_id:
        return "possible" if NAMES & set(agrees) else None
    return "certain" if agrees else "likely"


def of_message_id(agrees: tuple[str, ...], step: Step | None) -> Confidence:
    """How sure a link is that only the same Message-ID on another host shows.

    Hosts have several names, so that a relay of another name may be this host, or one before it.
    """
    relay = "" if step is None else str(step.fields.get("relay_host") or "")
    unnamed = not relay or (step is not None and relay == step.fields.get("relay_ip"))
    return "likely" if NAMES & set(agrees) or (unnamed and set(agrees) >= ENVELOPE) else "possible"


def are_copies(earlier: Trail, later: Trail, step: Step | None, agrees: tuple[str, ...]) -> bool:
    """Whether two messages are rather copies that somebody gave to two hosts than one that was handed on."""
    if NAMES & set(agrees):
        return False
    one, two = client_of(earlier), client_of(later)
    if one.get("client_ip") and one["client_ip"] == two.get("client_ip"):
        return True
    named = (step.fields.get("relay_host") if step is not None else None, two.get("client_host"))
    elsewhere = all(name and name.lower() not in NOBODY for name in named)
    return elsewhere and not set(agrees) >= ENVELOPE


def same_host(one: str | None, other: str | None) -> bool:
    """Whether two names are one host's: the same, or one of them is the other without its domain."""
    short, long = sorted(((one or "").lower().rstrip("."), (other or "").lower().rstrip(".")), key=len)
    return short not in NOBODY and (short == long or long.startswith(short + "."))


def client_of(trail: Trail) -> dict[str, Any]:
    """The fields of the line with which the message was taken in; empty where the log has none."""
    return next((step.fields for step in trail.steps if step.event == "accepted"), {})
