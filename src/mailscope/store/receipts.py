"""Receipts of erasures: what was done, signed with the store's own secret.

The signature is an HMAC-SHA256 over the receipt's JSON with sorted keys and without blanks, keyed with a key
made from the secret: whoever has the store can tell a receipt of it from any other, and nobody else can make
one.  A receipt names nobody: it holds keyed hashes of the names that were erased, and not what was put in
their place.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterable
from typing import Any, Final, Literal

from mailscope.store.database import Queries

Verdict = Literal["genuine", "another person", "false"]
# Where they are kept, in the store.
DIRECTORY: Final = "receipts"
KIND: Final = "mailscope privacy erase"
METHOD: Final = "HMAC-SHA256"
SIGNATURE: Final = "signature"


def name_hash(secret: bytes, name: str) -> str:
    """What stands for a name in a receipt: the same for each spelling."""
    return _mac(secret, "name", name.lower().encode())


def signed(secret: bytes, told: dict[str, Any]) -> dict[str, Any]:
    """A receipt with its signature."""
    return {**told, SIGNATURE: {"method": METHOD, "value": _mac(secret, "receipt", _canonical(told))}}


def genuine(secret: bytes, receipt: dict[str, Any]) -> bool:
    """Whether a receipt is of this store, and as it was made."""
    told = {name: value for name, value in receipt.items() if name != SIGNATURE}
    signature = receipt.get(SIGNATURE)
    if not isinstance(signature, dict) or signature.get("method") != METHOD:
        return False
    return hmac.compare_digest(str(signature.get("value")), _mac(secret, "receipt", _canonical(told)))


def about(secret: bytes, receipt: dict[str, Any], names: Iterable[str]) -> bool:
    """Whether a receipt is about a person with (at least) these names."""
    return {name_hash(secret, name) for name in names} <= set(receipt.get("names", ()))


def verdict(secret: bytes | None, receipt: dict[str, Any], names: Iterable[str]) -> Verdict:
    """What a receipt is: genuine and (where names are given) about that person, another, or neither."""
    if secret is None or not genuine(secret, receipt):
        return "false"
    return "genuine" if about(secret, receipt, names) else "another person"


def manifest_hash(database: Queries) -> str:
    """SHA-256 over the paths and checksums of all sealed files."""
    rows = database.connection.execute("select path, checksum from own.manifest order by path").fetchall()
    return hashlib.sha256("".join(f"{path} {checksum}\n" for path, checksum in rows).encode()).hexdigest()


def _canonical(told: dict[str, Any]) -> bytes:
    return json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()


def _mac(secret: bytes, purpose: str, data: bytes) -> str:
    # Keys of their own, so that a hash of a name is never a signature.
    key = hmac.digest(secret, f"mailscope {purpose}".encode(), "sha256")
    return hmac.digest(key, data, "sha256").hex()
