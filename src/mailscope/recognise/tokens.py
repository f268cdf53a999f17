"""The named tokens of pattern files, each defined once.

``{field}`` in a pattern captures the vocabulary field of that name with the field's own token;
``{field:token}`` captures it with another token; ``{:token}`` matches without capturing.

Classes are ASCII or negated (``[0-9]``, ``[^ ]``; never ``\\d \\w \\S``, whose Unicode tables are
measured to be eight times slower), and every byte decides the next step, so that the regex engine
can use its one-pass matcher.
"""

from __future__ import annotations

from typing import Final

SECRET: Final = (
    r"-[pPwW](?:[^ ]| [^/-])|-[uU] ?[^ ]*[:%][^ ]|-[a-zA-Z]*b[a-zA-Z]* [^ ]+ [^ ]+ [^ ]"
    r"|[^ ]*(?i:pass|pwd|secret|token|api[-_]?key|credential|authorization|bearer)[^ =:/]*[=:]"
    r"|--?[a-zA-Z-]*(?i:pass|pwd|secret|token|api[-_]?key|credential)[a-zA-Z-]* "
    r"|[^ ]*://[^ /@]*:[^ /@]*@|[^ ]*:[^ ]* \| [^ ]*chpasswd"
)

TOKENS: Final[dict[str, str]] = {
    "word": "[^ ]+",
    "text": ".*",
    "int": "[0-9]+",
    "decimal": r"[0-9]+(?:\.[0-9]+)?",
    "signed": r"-?[0-9]+(?:\.[0-9]+)?",
    "hex": "[0-9A-Fa-f]+",
    # Postfix: five or more hex digits of microseconds and inode, or the long form, whose alphabet has
    # no vowels (src/global/mail_queue.h), so that no English word looks like a queue id.
    "queue_id": "(?:[0-9A-F]{6,}|[0-9B-DF-HJ-NP-TV-Zb-df-hj-np-tv-z]{12,})",
    # Sendmail: time and sequence in eight characters of sixty, then the process id (8.12 and later), in six
    # and one before, and an hour and AA before that (queue.c, assign_queueid).
    "sendmail_id": "(?:[0-9A-Za-z]{7,8}[0-9]{5,10}|[A-Z]AA[0-9]{5,6})",
    # Exim: time, process id and fraction of a second in base 62 (MESSAGE_ID_LENGTH; longer from 4.97 on).
    "exim_id": "[0-9A-Za-z]{6}-(?:[0-9A-Za-z]{6}-[0-9A-Za-z]{2}|[0-9A-Za-z]{11}-[0-9A-Za-z]{4})",
    # An argument that may hold a secret, or announces one: an option for a password (-p, -w, --password,
    # -u name:secret ...), NAME=secret, an address with a password in it, what chpasswd reads.
    "secret": SECRET,
    # A command line in which no argument can be one: no "=", ":" or "%", and only harmless options.  Told by
    # single bytes, so that the usual line costs little; the others are for "command_line".
    "plain_command": (
        "[^ =:%()]*(?: +(?:[^ =:%()'-][^ =:%()]*|-[^pPwWb =:%()'-][^ b=:%()]{0,2}"
        "|--(?:report|[^ =:%()pck-][^ =:%()pck]*)?))*"
    ),
    # A command line as a person typed it, up to the first such argument; what is behind is not captured.
    "command_line": rf"(?P<command>.*?)(?: '?(?:{SECRET}).*)?",
    # Courier: inode, time and process id in hex (courier/libs/comctlfile.c).
    "courier_id": r"[0-9A-F]+\.[0-9A-F]+\.[0-9A-F]+",
    # The queues of IndiMail (the last part of QUEUEDIR).
    "queue": "(?:n?queue|slowq|qmta)[0-9]*",
    # How Exim names a client: its verified name, its HELO name in brackets, address, port, then the local
    # address (log_selector = +incoming_port, +incoming_interface).
    "exim_host": (
        r"(?:H=)?(?:(?P<client_host>[^ ()\[\]=]+) )?(?:\((?P<helo>[^ ]*)\) )?"
        r"\[(?P<client_ip>[0-9A-Fa-f:.]+)\](?::(?P<client_port>[0-9]+))?"
        r"(?: I=\[(?P<server_ip>[0-9A-Fa-f:.]+)\](?::(?P<server_port>[0-9]+))?)?"
    ),
    # How Sendmail names a peer: user@ (RFC 1413), verified name, address, and a word if the two do not agree.
    "sendmail_client": (
        r"(?:[^@ \[,]*@)?(?P<client_host>[^ \[\],:]+)?"
        r"(?: ?\[(?:IPv6:)?(?P<client_ip>[0-9A-Fa-f:.]+)\])?(?: \(may be forged\))?"
    ),
    # A span of time: 12, 0.4, 00:01:02, 1+02:03:04 (Sendmail), 1m2s, 1d2h3m4.005s (Exim, OpenSMTPD).
    "duration": r"[0-9][0-9+:.wdhms]*",
    # Content filters and foreign MTAs give ids of any shape.
    # The queue ids of Postfix, Sendmail (8 characters and a process id) and Exim, which milters are told.
    "mta_id": (
        "(?:[0-9A-F]{6,}|[0-9B-DF-HJ-NP-TV-Zb-df-hj-np-tv-z]{12,}|[0-9A-Za-z]{8}[0-9]{5,}"
        "|[0-9A-Za-z]{6}-[0-9A-Za-z]{6,11}-[0-9A-Za-z]{2,4})"
    ),
    "any_id": "[0-9A-Za-z._+-]+",
    "host": r"[^ \[\]]+",
    # Ends before a comma, so that ", delay=" cannot be taken for a part of the name.
    "relay": r"[^ ,\[\]]+",
    "ip": "[0-9A-Fa-f:.]+(?:%[^ \\]]+)?",
    # An address in external form, up to the closing '>': what stands in quotes cannot end it, whatever
    # a sender puts there.
    "address": r'[^">]*(?:"(?:[^"\\]|\\.)*"[^">]*)*',
    "dsn": r"[245]\.[0-9]{1,3}\.[0-9]{1,3}",
    "code": "[1-5][0-9][0-9]",
    "upper": "[A-Z]+",
    "lower": "[a-z]+",
    "name": "[A-Za-z0-9_.-]+",
    "quoted": '[^"]*',
    "paren": "[^)]*",
    "bracket": r"[^\]]*",
    "comma": "[^,]*",
    "semicolon": "[^;]*",
    "path": "[^ ]+",
    # Who a client is: an address, or a host name where the program looked it up.
    "peer": (
        r"(?:::ffff:)?(?P<client_ip>[0-9]{1,3}(?:\.[0-9]{1,3}){3}|[0-9A-Fa-f]*:[0-9A-Fa-f:.]*(?:%[^ ]+)?)"
        "|(?P<client_host>[^ ]+)"
    ),
    # The same where it is never a name.
    "client": (
        r"(?:::ffff:)?(?P<client_ip>[0-9]{1,3}(?:\.[0-9]{1,3}){3}|[0-9A-Fa-f]*:[0-9A-Fa-f:.]*(?:%[^ ]+)?)"
        "|UNKNOWN"
    ),
    # What stands before the words of an Apache httpd error: level, process, source, the system's error, the
    # client and the number; 2.2 has less of it, and puts the system's error behind the client.
    "httpd_error": (
        r"(?:\[[A-Z][a-z]{2} [A-Z][a-z]{2} [^\]]*\] )?\[(?:[a-z0-9_]*:)?[a-z]+[0-9]?\] "
        r"(?:\[pid [0-9]+(?::tid [0-9]+)?\] )?(?:[a-z0-9_]+\.c\([0-9]+\): )?(?:\([0-9]+\)[^:]*: )?"
        r"(?:\[(?:client|remote) \[?(?P<client_ip>[0-9]{1,3}(?:\.[0-9]{1,3}){3}|"
        r"(?:[0-9A-Fa-f]{0,4}:)+(?:[0-9A-Fa-f]{1,4}|[0-9.]+)?(?:%[^ \]:]+)?)\]?"
        r"(?::(?P<client_port>[0-9]+))?\] )?"
        r"(?:\[client [^\]]*\] )?(?:\([0-9]+\)[^:]*: )?(?:AH[0-9]{5}: )?"
    ),
    # The leading part of a Postfix program tag: syslog_name (empty in some Zimbra releases), possibly with
    # further parts.
    "postfix": "(?P<instance>[^/ ]*)(?:/[^/ ]+)*",
    # How a Dovecot login process says that a connection ended, up to the parenthesis that says why: words of
    # the server and of its TLS library, with parentheses of their own ("read(size=653) failed").
    "dovecot_end": r"[A-Z][^(]*(?:\((?:[^() ]*|[^()]*[=:][^()]*)\)[^(]*)*",
    # What it says of the client (login_log_format_elements): empty parts are left out, and older releases and
    # many administrators have fewer.  The session id ties it to what other processes log of the session.
    "dovecot_client": (
        r"(?:user=<(?P<user>[^>]+)?>(?:, |$))?(?:method=(?P<mechanism>[^ ,]+)(?:, |$))?"
        r"(?:rip=(?:::ffff:)?(?P<client_ip>[0-9A-Fa-f:.]+)(?:, rport=(?P<client_port>[0-9]+))?)?"
        r"(?:, lip=(?:::ffff:)?(?P<server_ip>[0-9A-Fa-f:.]+)(?:, lport=(?P<server_port>[0-9]+))?)?"
        r"(?:, mpid=(?P<subject_pid>[0-9]+))?(?:, (?:TLS|secured)[^,]*)?"
        r"(?:, (?P<tls_protocol>(?:TLS|SSL)v[0-9.]+) with cipher (?P<tls_cipher>[^ ,]+)"
        r"(?: \((?P<tls_cipher_bits>[^)]*) bits\))?)?(?:, session=<(?P<session_id>[^<>]*)>)?(?:[, ].*)?"
    ),
}

# The token of a field where it is not simply the field's name or its kind.
FIELD_TOKENS: Final[dict[str, str]] = {
    "sender": "address",
    "recipient": "address",
    "orig_recipient": "address",
    "sasl_sender": "address",
    "message_id": "address",
    "resent_message_id": "address",
    "helo": "address",
    "reason": "text",
    "header": "text",
    "next_queue_id": "queue_id",
    "orig_queue_id": "queue_id",
    "client_host": "host",
    "orig_client_host": "host",
    "server_host": "host",
    "relay_host": "relay",
    "client_ip": "ip",
    "orig_client_ip": "ip",
    "server_ip": "ip",
    "relay_ip": "ip",
    "dsn_status": "dsn",
    "reply_code": "code",
    "stage": "word",
    "score": "signed",
    "score_limit": "signed",
    "symbols": "text",
    "virus_name": "text",
    "selector": "comma",
}
KIND_TOKENS: Final[dict[str, str]] = {"int": "int", "float": "decimal", "str": "word", "time": "word"}


def token_of(field: str, kind: str) -> str:
    """The token that ``{field}`` stands for when the pattern names no other."""
    if field in FIELD_TOKENS:
        return FIELD_TOKENS[field]
    return field if field in TOKENS else KIND_TOKENS[kind]
