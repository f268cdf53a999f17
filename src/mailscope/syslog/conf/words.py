"""A rule in words: what it takes, what it does."""

from __future__ import annotations

from mailscope.language.phrase import Phrase
from mailscope.syslog.conf.rules import Action, Rule
from mailscope.syslog.conf.taken import taken


def takes(rule: Rule) -> Phrase:
    """Which messages."""
    found = taken(rule.selector) if rule.selector is not None else Phrase("everything")
    for each in rule.filters:
        found = Phrase("{what}, if {condition}", what=found, condition=each.shown)
    return found


def does(action: Action) -> Phrase:
    """What is done with them."""
    target, port = action.target, action.port
    match action.kind:
        case "file" if action.rotate_bytes:
            return Phrase(
                "appends to the file {target}; at {bytes} bytes it is put aside, {count} are kept",
                target=target,
                bytes=action.rotate_bytes,
                count=action.rotate_count,
            )
        case "file" if action.synced:
            return Phrase("appends to the file {target} and brings it to the disk", target=target)
        case "file":
            return Phrase("appends to the file {target}, which is brought to the disk later", target=target)
        case "device":
            return Phrase("writes to the device {target}", target=target)
        case "fifo":
            return Phrase("writes into the named pipe {target}", target=target)
        case "command":
            return Phrase("gives it to the command {target}", target=target)
        case "udp":
            return Phrase(
                "sends it to {target}, port {port}, over UDP: it may be lost", target=target, port=port
            )
        case "tcp":
            return Phrase("sends it to {target}, port {port}, over TCP", target=target, port=port)
        case "users":
            return Phrase("shows it to {target} where they are logged in", target=target)
        case "everyone":
            return Phrase("shows it to everyone who is logged in")
        case "discard":
            return Phrase("ends its way: no rule behind this one sees it")
