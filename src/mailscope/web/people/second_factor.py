"""Codes of an authenticator app as a second factor (TOTP, RFC 6238): SHA-1, 6 digits, steps of 30 seconds."""

from __future__ import annotations

import base64
import hmac
import secrets
import struct
from typing import Final
from urllib.parse import quote

from mailscope.language.phrase import Phrase
from mailscope.vocabulary.errors import UsageError
from mailscope.web.people.book import Book

STEP_S, DIGITS = 30, 6
# RFC 4226, section 4: 160 bits are recommended.
SECRET_BYTES: Final = 20
# RFC 6238, section 5.2: clocks may differ by one step.
DRIFT: Final = (0, -1, 1)


def new_secret() -> str:
    """A secret, as apps take it (base32)."""
    return base64.b32encode(secrets.token_bytes(SECRET_BYTES)).decode()


def code(secret: str, step: int) -> str:
    """The code of a step (RFC 4226, section 5.3)."""
    digest = hmac.digest(base64.b32decode(secret), struct.pack(">Q", step), "sha1")
    (number,) = struct.unpack_from(">I", digest, digest[-1] & 0xF)
    return f"{(number & 0x7FFFFFFF) % 10**DIGITS:0{DIGITS}}"


def step_of(secret: str, given: str, at: int) -> int | None:
    """The step whose code was given; None where it is none of now."""
    plain = "".join(given.split())
    now = at // STEP_S
    fitting = [
        now + drift
        for drift in DRIFT
        if hmac.compare_digest(code(secret, now + drift).encode(), plain.encode())
    ]
    return fitting[0] if fitting else None


def right(book: Book, name: str, given: str) -> bool:
    """Whether the account asks for no code, or this is one that was not used yet (RFC 6238, section 5.2)."""
    with book.change():
        row = book.row("select second_factor, last_step from accounts where name = ?", name)
        if row is None or not row["second_factor"]:
            return True
        step = step_of(row["second_factor"], given, book.now)
        if step is None or step <= row["last_step"]:
            return False
        book.run("update accounts set last_step = ? where name = ?", step, name)
    return True


def begin(book: Book, name: str, secret: str, given: str) -> None:
    """Ask for codes from now on; the first one proves that the app has the secret.  Raises UsageError."""
    try:
        step = step_of(secret, given, book.now)
    except ValueError as error:
        raise UsageError(Phrase("it is no secret of ours"), "secret", Phrase("begin again")) from error
    if step is None:
        raise UsageError(
            Phrase("the code is not right"), "code", Phrase("give the code that the app shows now")
        )
    book.run("update accounts set second_factor = ?, last_step = ? where name = ?", secret, step, name)


def end(book: Book, name: str) -> None:
    """Ask for codes no more."""
    book.run("update accounts set second_factor = '', last_step = 0 where name = ?", name)


def address(secret: str, name: str, host: str) -> str:
    """What an app reads (the Key URI Format of Google Authenticator)."""
    label = quote(f"Mailscope {host}:{name}", safe=":@")
    return f"otpauth://totp/{label}?secret={secret}&issuer={quote(f'Mailscope {host}')}"
