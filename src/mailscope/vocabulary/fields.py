"""Every column that any output of Mailscope shows, declared once.

Schemas, CSV headers, JSON keys, pattern checks and the documentation are made from this table, so a
name means the same thing for every MTA and in every format.  The words are those of RFC 5321
(sender, recipient, reply code), RFC 5322 (message-id), RFC 3463 (enhanced status) and of the MTAs'
own manuals.

Units stand in the name: ``_s`` seconds, ``_bytes`` bytes.  Instants are UTC with microseconds.
``privacy`` says what a data-protection officer must know of a column: ``none``, ``address`` (a mail
address or login name), ``ip`` (a client's network address or host name), ``content`` (words taken
from a message or typed by a person).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal["str", "int", "float", "time", "bool", "list"]
Privacy = Literal["none", "address", "ip", "content"]


@dataclass(frozen=True, slots=True)
class Field:
    """One column: its name, type, meaning and privacy class."""

    name: str
    kind: Kind
    meaning: str
    privacy: Privacy = "none"


CORE: Final[tuple[Field, ...]] = (
    Field("time", "time", "When it happened: UTC, microseconds."),
    Field(
        "time_quality",
        "str",
        "How the instant was known: exact, year_inferred (the stamp has no year), zone_assumed "
        "(the stamp has no zone), both, or unknown (no stamp could be read).",
    ),
    Field("host", "str", "The host that logged the line."),
    Field("program", "str", "The program's tag, as logged."),
    Field("service", "str", "The program's role, such as smtpd for postfix/submission/smtpd."),
    Field("instance", "str", "The MTA instance (Postfix syslog_name), such as postfix or postfix-mx2."),
    Field("pid", "int", "Process id of the logging process."),
    Field("facility", "str", "Syslog facility, where the line carries one."),
    Field("severity", "str", "Syslog severity, where the line carries one."),
    Field("event", "str", "What happened: one word of the event table."),
    Field("text", "str", "The message as logged, after the program's tag.", "content"),
    Field("source", "str", "The file that the line was read from, or standard input."),
    Field("offset", "int", "Byte offset of the line in the uncompressed source."),
    Field("line_number", "int", "Number of the line in its source, from 1."),
)

MAIL: Final[tuple[Field, ...]] = (
    Field("queue_id", "str", "The MTA's handle for a message in its queue; reused after removal."),
    Field("next_queue_id", "str", "The queue id that the next hop gave the message (queued as)."),
    Field("orig_queue_id", "str", "The queue id that this message had before (requeue, notification)."),
    Field("trail_id", "str", "Identifies one message in one MTA: hash of host, instance, id, first time."),
    Field("message_id", "str", "Message-ID header, without angle brackets.", "content"),
    Field("resent_message_id", "str", "Resent-Message-ID header, without angle brackets.", "content"),
    Field("sender", "str", "Envelope sender (reverse-path); empty for bounces.", "address"),
    Field("recipient", "str", "Envelope recipient (forward-path).", "address"),
    Field("orig_recipient", "str", "Recipient before alias or virtual rewriting.", "address"),
    Field("recipients", "str", "Recipients that share one line (Sendmail), as logged.", "address"),
    Field(
        "session_id", "str", "The program's handle for a session; joins lines, is never written or stored."
    ),
    Field("size_bytes", "int", "Size of the message."),
    Field("recipient_count", "int", "Number of recipients of the message."),
    Field("relay_host", "str", "Next hop that took or refused the message, or the delivery agent."),
    Field("relay_ip", "str", "Address of the next hop."),
    Field("relay_port", "int", "Port of the next hop."),
    Field("connection_use", "int", "How often the connection has been used (Postfix conn_use)."),
    Field("delay_s", "float", "Time from arrival to this attempt's end."),
    Field("delay_before_queue_s", "float", "Time before the queue manager took the message."),
    Field("delay_in_queue_s", "float", "Time in the queue manager."),
    Field("delay_connect_s", "float", "Time to connect: DNS, TCP, TLS, EHLO."),
    Field("delay_transmit_s", "float", "Time to transmit the message."),
    Field("dsn_status", "str", "Enhanced status code (RFC 3463), such as 5.1.1."),
    Field(
        "reply_code",
        "int",
        "SMTP reply code (RFC 5321 section 4.2), such as 550; of a web request, the status.",
    ),
    Field("status", "str", "Outcome: sent, deferred, bounced, expired, deliverable, undeliverable ..."),
    Field("reason", "str", "Why, in the remote's or the MTA's own words.", "content"),
    Field("cause", "str", "Why it failed, one word for all servers' words for it, such as mailbox_full."),
    Field("stage", "str", "SMTP command that was reached: CONNECT, EHLO, MAIL, RCPT, DATA ..."),
    Field("action", "str", "What a rule did: reject, warn, hold, discard, filter, redirect, prepend ..."),
    Field("blocklist", "str", "DNS blocklist or allow list that decided."),
    Field("header", "str", "Header or body line that a content check looked at.", "content"),
    Field(
        "verdict",
        "str",
        "A filter's or check's judgement in its own words: CLEAN, SPAM, pass, fail, softfail ...",
    ),
    Field("score", "float", "Points that a filter gave the message."),
    Field("score_limit", "float", "Points from which the filter acts."),
    Field("symbols", "str", "The rules that gave the points, as the filter logs them.", "content"),
    Field("virus_name", "str", "What a virus scanner found, by its own name for it."),
    Field("selector", "str", "DKIM selector: with the domain, it names the key (RFC 6376)."),
    Field("subject", "str", "Subject header, where a header check logs it.", "content"),
    Field("delivery_id", "int", "qmail's delivery number; starts again with each start of qmail-send."),
    Field("queue", "str", "Which of its queues an MTA with several means (IndiMail), such as queue1."),
    Field("qp", "int", "Process id of the qmail-queue that stored the message."),
    Field("uid", "int", "Numeric user id that submitted the message."),
    Field("local_concurrency", "int", "Local deliveries under way."),
    Field("local_limit", "int", "Most local deliveries allowed at once."),
    Field("remote_concurrency", "int", "Remote deliveries under way."),
    Field("remote_limit", "int", "Most remote deliveries allowed at once."),
    Field(
        "command",
        "str",
        "External command, SMTP command or mailbox command; what a person typed (sudo, doas, cron) only up "
        "to the first argument that may hold a secret.",
        "content",
    ),
    Field("mailbox", "str", "Mailbox, file or folder that was written.", "address"),
    Field("transport", "str", "Delivery transport or nexthop that was chosen."),
)

CLIENT: Final[tuple[Field, ...]] = (
    Field("client_host", "str", "Client's host name as the server verified it, or unknown.", "ip"),
    Field("client_ip", "str", "Client's network address.", "ip"),
    Field("client_port", "int", "Client's port."),
    Field("server_host", "str", "Name of the server address that was connected to."),
    Field("server_ip", "str", "Server address that was connected to."),
    Field("server_port", "int", "Server port that was connected to."),
    Field("orig_client_host", "str", "Client that a proxy or filter named (XCLIENT, XFORWARD).", "ip"),
    Field("orig_client_ip", "str", "Address of that client.", "ip"),
    Field("helo", "str", "Name the client gave in HELO or EHLO.", "ip"),
    Field("protocol", "str", "Protocol spoken: SMTP, ESMTP, ESMTPS, LMTP, IMAP, POP3 ..."),
    Field(
        "sasl_method",
        "str",
        "SASL mechanism of a login over SMTP, or that the auth process of Dovecot names.",
    ),
    Field("sasl_user", "str", "SASL user name.", "address"),
    Field("sasl_sender", "str", "Sender that the client gave with MAIL FROM AUTH=.", "address"),
    Field("user", "str", "Login or account name.", "address"),
    Field("mechanism", "str", "Authentication mechanism or module."),
    Field("tls_trust", "str", "Trust in the peer's certificate: Anonymous, Untrusted, Trusted, Verified."),
    Field("tls_protocol", "str", "TLS protocol version."),
    Field("tls_cipher", "str", "TLS cipher."),
    Field("tls_cipher_bits", "str", "Bits of the cipher, used/total."),
    Field("tls_key_exchange", "str", "TLS key exchange group."),
    Field("tls_server_signature", "str", "Server certificate's signature algorithm, with its size."),
    Field("tls_server_digest", "str", "Digest of the server's signature."),
    Field("tls_client_signature", "str", "Client certificate's signature algorithm, with its size."),
    Field("tls_client_digest", "str", "Digest of the client's signature."),
    Field("tls_level", "str", "TLS security level that applied (Postfix tls=)."),
    Field("fingerprint", "str", "Certificate or public-key fingerprint."),
    Field("commands", "str", "Commands of an SMTP session, or figures of a mailbox session, as logged."),
    Field("duration_s", "float", "How long it lasted."),
    Field("bytes_in", "int", "Bytes received from the client."),
    Field("bytes_out", "int", "Bytes sent to the client."),
    Field("exit_status", "int", "Exit status as the parent logged it (qmail: wait status)."),
    Field("signal", "int", "Signal that ended a process."),
)

MEASURES: Final[tuple[Field, ...]] = (
    Field("statistic", "str", "Which figure a statistics line gives."),
    Field("value", "int", "The figure, or a count the line carries."),
    Field("limit", "int", "The limit that a figure is held against."),
    Field("period_s", "int", "The span a rate is counted over."),
    Field("since", "str", "The instant that a statistics line names, as logged."),
    Field("hits", "int", "Look-ups that were answered by a cache."),
    Field("misses", "int", "Look-ups that were not."),
    Field("retained", "int", "Cache entries kept."),
    Field("dropped", "int", "Cache entries dropped."),
    Field("domains", "int", "Number of domains."),
    Field("addresses", "int", "Number of addresses."),
    Field("connections", "int", "Number of connections."),
    Field("dnsbl_rank", "int", "Score that blocklists and allow lists add up to."),
    Field("version", "str", "Version of a program."),
    Field("path", "str", "File, directory or table concerned."),
    Field("lookup_key", "str", "What was looked up in a table, a directory or DNS.", "address"),
    Field("domain", "str", "Mail domain that the line is about."),
    Field("subject_pid", "int", "Process id of another process that the line is about."),
    Field("subject_service", "str", "Another service that the line is about."),
)

HOST: Final[tuple[Field, ...]] = (
    Field("target_user", "str", "The user that somebody became or acted as (su, sudo, doas).", "address"),
    Field("group_name", "str", "A group of users."),
    Field("tty", "str", "The terminal."),
    Field("directory", "str", "Where a command was run."),
    Field("method", "str", "Method of a web request: GET, POST ..."),
    Field("url_path", "str", "What a web request asked for, without query and parameters.", "content"),
    Field("referer", "str", "The page that a web request says it came from, without its query.", "content"),
    Field("user_agent", "str", "The program that a web request says it came from.", "content"),
    Field("interface", "str", "Network interface that a packet came in by, or went out by."),
)

FIELDS: Final[tuple[Field, ...]] = CORE + MAIL + CLIENT + MEASURES + HOST
BY_NAME: Final[dict[str, Field]] = {field.name: field for field in FIELDS}
# What joins lines while they are read; never written or stored (Dovecot's holds the client's address).
TRANSIENT: Final[frozenset[str]] = frozenset({"session_id"})
CORE_NAMES: Final[frozenset[str]] = frozenset(field.name for field in CORE)
