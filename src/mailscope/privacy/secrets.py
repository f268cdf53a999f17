"""Passwords and session ids, which programs log when they are asked to be talkative; they go no further.

In: lines of any log.  Out: the same lines with ``***`` for passwords, and with hashes for the ids of
sessions, so that lines of one session are still known to be.

Sources: Postfix xsasl_cyrus_server.c, smtpd_chat.c, smtp_sasl_glue.c (-v, debug_peer_list); Dovecot
auth-request.c, auth-client-connection.c (auth_debug_passwords, auth_verbose_passwords); courier-authlib
checkpassword.c, authldaplib.cpp (DEBUG_LOGIN=2); vpopmail vchkpw.c; RFC 4954 (AUTH), RFC 3986 section 3.2.1
(user:password in an URL), RFC 7617 and 6750 (HTTP credentials), the manuals of sshpass, mysql and curl.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import polars as pl

from mailscope.intake.lines import split_lines
from mailscope.privacy.matches import rewritten
from mailscope.vocabulary.columns import take

MASK: Final = "***"
# A line without any of these words holds no secret that is known here.
SIGNS: Final = (
    "auth", "pass", "pwd", "secret", "token", "://", "resp", ": < ", "credential", "api", "mysql", "session=",
    "curl", "wget", "ldap", ")<", "!=",
)  # fmt: skip
_BASE64: Final = "[A-Za-z0-9+/_-]{4,}={0,2}"
_KEYS: Final = (
    "pass(?:w(?:or)?d|phrase)?|clearpass(?:wd|word)?|clearpw|cryptpw|userpassword|secret|client_secret|"
    "(?:access_|refresh_|auth_|api_?)?token|api_?key|[a-z_]+_(?:password|passwd|secret)|"
    "mysql_pwd|pgpassword|sshpass|bindpw|credentials"
)
# Regex, and what is put in the place of a match.
MASKED: Final[tuple[tuple[str, str], ...]] = (
    # The dialogue of a client that logs in: the mechanism stays.
    (rf"(?i)(\bAUTH [A-Z0-9-]+) {_BASE64}([\"')\]]*$)", "$1 ***$2"),
    (r"(?i)(\binit(?:ial)?[_ ]response)(:? )\S.*$", "$1$2***"),
    (r"(?i)(decoded (?:initial |client )?response:?) .*$", "$1 ***"),
    (r"(?i)(uncoded (?:initial |client )?(?:reply|response):?) .*$", "$1 ***"),
    (r"(\bpass )[`'][^']*'", "$1'***'"),
    # Dovecot.
    (r"((?:given|SHA1 of given) password: ).*(\))", "$1***$2"),
    (r"([\t ,(]resp=)[^\t ,)]+", "$1***"),
    (r"(\b[A-Z][A-Z0-9.-]{2,})\(.*\) != '.*'", "$1(***) != '***'"),
    # Courier and vpopmail.
    (r"((?:supplied password|Password for .*:|(?:plaintext|encrypted) password) )'.*?'( |$|,)", "$1'***'$2"),
    (r"(does not match (?:clearpasswd|encrypted password) )'.*'", "$1'***'"),
    (r"(\(pass: ?)'?.*'?(\))", "$1'***'$2"),
    # key=value and key: "value", in any case.
    (rf"(?i)(\b(?:{_KEYS})=)(?:\"[^\"]*\"|'[^']*'|<[^<>]*>|[^\s,;&)\]<>\"']+)", "$1***"),
    # A sudo log's PWD is a directory.
    (r"(?i)(\b(?:pwd|mysql_pwd)=)[^\s,;&)/][^\s,;&)]*", "$1***"),
    (rf"(?i)([\"'](?:{_KEYS})[\"']\s*:\s*)(?:\"[^\"]*\"|'[^']*')", "$1\"***\""),
    (r"(?i)(--(?:[a-z-]+-)?(?:pass(?:word|wd|phrase)?|secret|token|api-key)[= ]+)(?:\"[^\"]*\"|'[^']*'|\S+)",
     "$1***"),
    # Programs that take a password on the command line.
    (r"(\bsshpass -p ?)\S+", "$1***"),
    (r"(\bmysql[a-z_]*\b.* -p)[^\s-]\S*", "$1***"),
    (r"(\bldap[a-z]+\b.* -w ?)\S+", "$1***"),
    (r"(\b(?:curl|wget)\b.* (?:-u|--user) ?[^\s:]+:)\S+", "$1***"),
    # Anywhere.
    (r"([A-Za-z][A-Za-z0-9+.-]*://[^\s:/@\[\]]*:)[^\s/@]+(@)", "$1***$2"),
    (r"(?i)((?:proxy-)?authorization:?\s+(?:basic|bearer|digest|negotiate)\s+)\S+", "$1***"),
)  # fmt: skip
# The client's answer to a challenge is a line of its own; words that are commands are none.
ANSWER: Final = rf"^(.*: < [^ ]+\[[0-9A-Fa-f:.]+\](?::[0-9]+)?: ){_BASE64}$"
COMMAND: Final = (
    r": (?i:QUIT|DATA|RSET|NOOP|HELP|STARTTLS|HELO|EHLO|LHLO|AUTH|XCLIENT|XFORWARD|[A-Z]+-[A-Z]+)$"
)
SESSION: Final = r"\bsession=<?[^<>,\s]+>?|\)<[0-9]+><[^<>\s]+>|\)<[A-Za-z0-9+/]{16,}(?::[A-Za-z0-9]+)*>"
# Whether a line has any of it: one look instead of one for each; most lines with a sign have none.
ANY: Final = "|".join(f"(?:{regex})" for regex in (*(regex for regex, _ in MASKED), ANSWER, SESSION))


def masked(lines: pl.Series, session: Callable[[str], str]) -> pl.Series:
    """Lines without secrets; ``session`` gives what stands for the id of a session."""
    rows = lines.str.contains_any(list(SIGNS), ascii_case_insensitive=True).fill_null(False).arg_true()
    rows = rows.filter(take(lines, rows).str.contains(ANY)) if len(rows) else rows
    if not len(rows):
        return lines
    found = pl.col("line")
    for regex, put in MASKED:
        found = found.str.replace_all(regex, put)
    found = (
        pl.when(found.str.contains(ANSWER) & ~found.str.contains(COMMAND))
        .then(found.str.replace(ANSWER, f"${{1}}{MASK}"))
        .otherwise(found)
    )
    clean = take(lines, rows).to_frame("line").select(found).to_series()
    return lines.clone().scatter(rows, rewritten(clean, SESSION, lambda match: _session(match, session)))


def masked_chunk(data: bytes, session: Callable[[str], str]) -> bytes:
    """The same for a chunk of whole lines; one without secrets is given back as it is."""
    lines = split_lines(data)
    clean = masked(lines, session)
    if clean.equals(lines):
        return data
    return "\n".join(clean).encode() + (b"\n" if data.endswith(b"\n") else b"")


def _session(match: str, session: Callable[[str], str]) -> str:
    """A session's id within what stands around it."""
    if match.startswith("session="):
        inner = match.removeprefix("session=")
        bare = inner.strip("<>")
        return f"session={inner.replace(bare, session(bare))}"
    before, _, after = match.rstrip(">").rpartition("<")
    return f"{before}<{session(after)}>"
