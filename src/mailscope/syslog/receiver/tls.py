"""Syslog over TLS (RFC 5425): who we are, and which clients may send.

A client that must show a certificate has to have one that the named authorities signed, and that carries
one of the allowed names: a DNS name or address of its subject alternative names (of its common name if it
has none of these), or the SHA-256 fingerprint of the certificate itself (RFC 5425 section 5.2).
"""

from __future__ import annotations

import hashlib
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mailscope.vocabulary.errors import InputError, UsageError


@dataclass(frozen=True)
class Certificates:
    """Files in PEM form.

    ``authorities``: who signed the clients' certificates; without it clients need none.  ``names``: the
    clients that may send (``mx1.example.org``, ``*.example.org`` for one label, ``sha256:`` and hexadecimal
    digits); empty: every client with a valid certificate.
    """

    certificate: Path
    key: Path
    authorities: Path | None = None
    names: Sequence[str] = ()

    def context(self) -> ssl.SSLContext:
        """What a handshake needs.  Raises InputError for unusable files, UsageError for the settings."""
        if self.names and self.authorities is None:
            what_to_do = "say which authorities sign the clients' certificates"
            raise UsageError(
                "names of clients are allowed, but no certificate is asked for", "TLS", what_to_do
            )
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        made.minimum_version = ssl.TLSVersion.TLSv1_2
        # A sender never reads; closing with tickets for later sessions unread, its kernel would reset the
        # connection, and ours would throw away what it has not given us yet.
        made.num_tickets = 0
        for file in filter(None, (self.certificate, self.key, self.authorities)):
            try:
                file.read_bytes()
            except OSError as error:
                raise InputError.from_os_error(error, file) from error
        where = str(self.certificate)
        try:
            # A key with a passphrase would be asked for at the terminal, which a daemon has not.
            made.load_cert_chain(self.certificate, self.key, password=lambda: b"")
            if self.authorities is not None:
                where = str(self.authorities)
                made.load_verify_locations(self.authorities)
                made.verify_mode = ssl.CERT_REQUIRED
        except (ssl.SSLError, ValueError) as error:
            what_to_do = "it must be in PEM form, the key without a passphrase and of that certificate"
            raise InputError(f"cannot be used for TLS: {error}", where, what_to_do) from error
        return made

    def allowed(self, connection: ssl.SSLSocket) -> str | None:
        """None if the client may send, else the names that it showed, for the log."""
        if not self.names:
            return None
        certificate = connection.getpeercert() or {}
        binary = connection.getpeercert(binary_form=True) or b""
        shown = names_of(certificate)
        wanted = [name.lower() for name in self.names]
        fingerprint = "sha256:" + hashlib.sha256(binary).hexdigest()
        if any(_digits(name) == fingerprint for name in wanted if name.startswith("sha256:")):
            return None
        if any(matches(name, pattern) for name in shown for pattern in wanted):
            return None
        return ", ".join(shown) or fingerprint


def names_of(certificate: dict[str, Any]) -> list[str]:
    """DNS names and addresses of a certificate as ``ssl`` gives it; its common names if it has none."""
    names = [value for kind, value in certificate.get("subjectAltName", ()) if kind in ("DNS", "IP Address")]
    if not names:
        subject = certificate.get("subject", ())
        names = [value for part in subject for kind, value in part if kind == "commonName"]
    return [name.lower() for name in names]


def matches(name: str, pattern: str) -> bool:
    """Whether a name, in small letters, is the allowed one; ``*.`` stands for one label."""
    if pattern.startswith("*."):
        label, _, rest = name.partition(".")
        return bool(label) and "*" not in label and rest == pattern[2:]
    return name == pattern


def _digits(fingerprint: str) -> str:
    kind, _, digits = fingerprint.partition(":")
    return f"{kind}:{digits.replace(':', '')}"
