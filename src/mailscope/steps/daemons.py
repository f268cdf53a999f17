"""What the programs of Postfix are for, who hands mail to whom, and which of them answers at which socket.

Source: the manual pages of the daemons (master(8), pickup(8), cleanup(8) ...) and conf/master.cf of Postfix.
"""

from __future__ import annotations

from typing import Final

from mailscope.language.phrase import Phrase

DUTIES: Final[dict[str, Phrase]] = {
    "sendmail": Phrase("takes mail from programs of this host"),
    "postdrop": Phrase("writes local mail into the maildrop queue"),
    "postqueue": Phrase("shows or flushes the queue for users"),
    "postsuper": Phrase("looks after the queue files"),
    "master": Phrase("starts the other daemons when they are needed"),
    "pickup": Phrase("takes local mail out of the maildrop queue"),
    "smtpd": Phrase("takes mail from the network by SMTP"),
    "qmqpd": Phrase("takes mail from the network by QMQP"),
    "postscreen": Phrase("keeps zombies away from smtpd"),
    "cleanup": Phrase("adds missing headers and writes the queue file"),
    "trivial-rewrite": Phrase("completes addresses and says by which way they are delivered"),
    "qmgr": Phrase("the queue manager: moves queue files and hands them out for delivery"),
    "nqmgr": Phrase("the queue manager: moves queue files and hands them out for delivery"),
    "local": Phrase("delivers to mailboxes of this host"),
    "virtual": Phrase("delivers to mailboxes of virtual domains"),
    "smtp": Phrase("delivers to other hosts by SMTP"),
    "lmtp": Phrase("delivers to other programs by LMTP"),
    "pipe": Phrase("delivers to programs"),
    "error": Phrase("refuses or puts off delivery, as the settings say"),
    "discard": Phrase("throws mail away, as the settings say"),
    "bounce": Phrase("keeps the reasons of failed deliveries and writes notices to senders"),
    "flush": Phrase("remembers which mail waits for which domain"),
    "proxymap": Phrase("looks up tables for the other daemons"),
    "tlsmgr": Phrase("keeps TLS sessions and random numbers"),
    "scache": Phrase("keeps connections open for the next delivery"),
    "anvil": Phrase("counts clients' connections"),
    "showq": Phrase("lists the queue"),
    "verify": Phrase("keeps the results of address probes"),
    "postlogd": Phrase("writes the log"),
    "spawn": Phrase("runs a program for each connection"),
    "dnsblog": Phrase("asks DNS blocklists"),
    "tlsproxy": Phrase("speaks TLS for postscreen"),
}
# Who answers at a socket that is not called like its program (conf/master.cf).
AT_SOCKET: Final = {
    "rewrite": "trivial-rewrite", "defer": "bounce", "trace": "bounce", "relay": "smtp", "retry": "error",
    "proxywrite": "proxymap", "postlog": "postlogd", "smtpd": "smtpd",
}  # fmt: skip
# Deliver mail that qmgr hands to them.
AGENTS: Final = frozenset({"local", "virtual", "smtp", "lmtp", "pipe", "error", "discard"})
# Who hands a message to a program, where a log tells only that the program had it.
GIVEN_BY: Final[dict[str, tuple[str, ...]]] = {
    "cleanup": ("smtpd", "pickup", "qmqpd", "bounce", "local"),
    "qmgr": ("cleanup", "pickup"),
    **dict.fromkeys(AGENTS, ("qmgr",)),
    "bounce": ("qmgr",),
}


def program_at(socket: str) -> str:
    """The program that answers at a socket of private/ or public/."""
    return AT_SOCKET.get(socket, socket)
