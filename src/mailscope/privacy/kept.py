"""Names that stand for no person, and stay as they are.

Sources: RFC 2142 (roles), RFC 6761 (localhost), the senders that Postfix and qmail use for themselves,
accounts that Debian's mail packages make, folder names of RFC 6154 and Maildir.
"""

from __future__ import annotations

from typing import Final

# Local parts and accounts, in small letters.
ROLES: Final[frozenset[str]] = frozenset({
    "abuse", "alias", "amavis", "anonymous", "bin", "clamav", "daemon", "debian-spamd", "double-bounce",
    "dovecot", "dovenull", "greylist", "hostmaster", "mail", "mailer-daemon", "nobody", "noc",
    "opendkim", "policyd-spf", "postdrop", "postfix", "postmaster", "qmaild", "qmaill", "qmailp",
    "qmailq", "qmailr", "qmails", "root", "security", "sshd", "sync", "sys", "systemd", "unknown",
    "vmail", "vpopmail", "webmaster", "www-data",
})  # fmt: skip
# Hosts.
HOSTS: Final[frozenset[str]] = frozenset({
    "*", "local", "localhost", "localhost.localdomain", "none", "null", "unknown",
})  # fmt: skip
# Parts of the path of a mailbox.
FOLDERS: Final[frozenset[str]] = frozenset({
    "all", "archive", "bin", "cur", "deliver", "dev", "domains", "dovecot", "drafts", "etc", "flagged",
    "home", "important", "inbox", "junk", "lib", "local", "mail", "mailbox", "maildir", "maildrop",
    "mbox", "new", "null", "procmail", "root", "sbin", "sent", "spam", "spool", "tmp", "trash", "users",
    "usr", "vacation", "var", "vmail",
})  # fmt: skip
# Words of replies, which are also somebody's local part somewhere: in free text they are left alone.
WORDS: Final[frozenset[str]] = frozenset({
    "a", "accepted", "access", "account", "address", "addresses", "again", "all", "and", "are", "as",
    "at", "authentication", "bad", "be", "been", "before", "blocked", "body", "bounce", "by", "can",
    "cannot", "client", "closed", "com", "command", "connect", "connected", "connection", "content",
    "could", "data", "delivery", "denied", "disabled", "dns", "does", "domain", "error", "exceeded",
    "exist", "failed", "failure", "first", "for", "found", "from", "full", "gateway", "greylist",
    "greylisted", "has", "header", "helo", "host", "if", "in", "inactive", "info", "input", "invalid",
    "ip", "is", "it", "later", "limit", "list", "local", "lookup", "lost", "mail", "mailbox", "message",
    "messages", "more", "name", "net", "network", "new", "no", "not", "of", "ok", "on", "org", "out",
    "over", "please", "policy", "protocol", "queue", "quota", "rate", "rcpt", "recipient", "recipients",
    "refused", "reject", "rejected", "relay", "relaying", "remote", "reply", "reputation", "retry",
    "said", "sales", "security", "see", "sender", "sent", "server", "service", "site", "size", "smtp",
    "some", "spam", "spf", "status", "such", "support", "system", "table", "temporarily", "test", "the",
    "this", "time", "timed", "timeout", "to", "too", "transaction", "try", "unable", "unavailable",
    "unknown", "user", "users", "valid", "verify", "virus", "was", "while", "with", "you", "your",
})  # fmt: skip
# How the names of headers begin, in small letters, whose values are no words of persons.
TECHNICAL_HEADERS: Final[tuple[str, ...]] = (
    "content-", "mime-", "received", "date", "x-mailer", "user-agent", "x-spam", "x-virus", "x-rspamd",
    "x-amavis", "list-", "precedence", "auto-submitted", "authentication-results", "arc-", "dkim-",
    "x-priority", "importance", "by", "with", "id",
)  # fmt: skip
