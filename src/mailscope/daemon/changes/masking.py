"""Configuration without its secrets: the same lines with ``***`` for passwords and keys.

Masked are: values of parameters whose name speaks of a password, secret, key or token, unless they name a
file or table; ``password=...`` within a value and passwords in URLs; what stands behind the name in
files of credentials; password hashes; private keys.  In doubt a value is masked.
"""

from __future__ import annotations

import re
from typing import Final

import polars as pl

from mailscope.daemon.changes.watched import Form
from mailscope.privacy.secrets import MASK, masked

_PARAMETER: Final = re.compile(
    r"^(?P<before>[\s#;]*(?P<name>[A-Za-z][A-Za-z0-9_.-]*)\s*[=:]\s*)(?P<value>.*)$"
)
_SECRET: Final = re.compile(
    r"pass(?:w(?:or)?d|phrase)?(?![a-z])|passw|secret|dnpass|bind_?pw|token|api_?key|private_?key|credential|auth_key",
    re.IGNORECASE,
)
# Parameters that speak of secrets and hold none.
_HARMLESS: Final = re.compile(
    r"(?:maps|file|path|query|schemes?|attrs?|attributes?|filter|verbose|level|delay|lifetime|timeout|format|"
    r"mechanisms?|security_options|type|enable[d]?)$|^(?:passdb|pass_filter|pass_attrs)",
    re.IGNORECASE,
)
# A table, an included file, a switch, another parameter.
_PLACE: Final = re.compile(
    r"(?:<\s*|[a-z]+:(?:[a-z]+:)*)/\S*$|(?:yes|no|true|false)$|\$[a-z_{(]\S*$", re.IGNORECASE
)
# What names an account or a server, with its port; a line that has none is a secret as a whole.
_NAMED: Final = re.compile(r"^(\s*#?\s*(?:\[[^\]\s]*\]|[^\s:#]+)(?::[0-9]+(?=\s))?)(?=[\s:]).*$")
# Password hashes of passwd files: {SCHEME}..., $6$...
_HASH: Final = re.compile(r"\{[A-Z][A-Z0-9.-]*\}[^\s:]+|\$[0-9a-z]{1,8}\$[^\s:]{8,}")
_BEGIN: Final = re.compile(r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----")
_END: Final = re.compile(r"-----END [A-Z0-9 ]*PRIVATE KEY-----")


def without_secrets(text: str, form: Form) -> list[str]:
    """The lines of a file, masked."""
    lines: list[str] = []
    secret = within_key = False
    for line in text.split("\n"):
        if within_key:
            within_key = _END.search(line) is None
            continue
        if _BEGIN.search(line):
            lines.append(f"{line[: line.index('-----BEGIN')]}-----PRIVATE KEY----- {MASK}")
            within_key = _END.search(line) is None
            continue
        if form in ("credentials", "secret") and line.strip():
            named = _NAMED.match(line) if form == "credentials" else None
            lines.append(f"{named[1]} {MASK}" if named else MASK)
            continue
        if secret and line[:1].isspace() and line.strip():
            # The value goes on.
            lines.append(f"    {MASK}")
            continue
        found = _PARAMETER.match(line)
        secret = found is not None and _is_secret(found["name"], found["value"])
        hidden = secret and found is not None and found["value"]
        kept = f"{found['before']}{MASK}" if hidden and found is not None else line
        lines.append(_HASH.sub(MASK, kept))
    return masked(pl.Series(lines, dtype=pl.String), lambda session: session).to_list()


def _is_secret(name: str, value: str) -> bool:
    return bool(_SECRET.search(name)) and not _HARMLESS.search(name) and not _PLACE.match(value.strip())
