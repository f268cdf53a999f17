"""Addresses and words as Postfix prints them: the local part quoted where it must be, what cannot be shown as
``?``.

Sources: src/global/quote_822_local.c and src/util/printable.c of Postfix 3.7, with smtputf8_enable = yes (its
default).
"""

from __future__ import annotations

import re
from typing import Final

# showq's words for the empty address (empty_address_recipient).
EMPTY: Final = b"MAILER-DAEMON"
# Nearly all addresses: nothing to quote, nothing to hide.
_PLAIN: Final = re.compile(
    rb"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*(?:@[!-?A-~]*)?"
)
_ATOMS: Final = re.compile(rb"[^\0-\x20\x7f()<>@,;:\\\"\[\].]+(?:\.[^\0-\x20\x7f()<>@,;:\\\"\[\].]+)*")
_ESCAPED: Final = re.compile(rb'["\\\r]')
_PRINTABLE: Final = bytes(range(0x20, 0x7F))
_SHOWN: Final = re.compile(rb"[\x20-\x7e]+|[\xc2-\xfe][\x80-\xbf]+|([\x00-\xff])")


def quoted(address: bytes) -> bytes:
    """The address in RFC 5321 form: ``odd addr@example.org`` as ``"odd addr"@example.org``."""
    if _PLAIN.fullmatch(address):
        return address
    address = address.partition(b"\0")[0]
    start = address.find(b":") + 1 if address.startswith(b"@") else 0
    end = address.rfind(b"@", start)
    if end < 0:
        end = len(address)
    local = address[start:end]
    if _ATOMS.fullmatch(local):
        return address
    return address[:start] + b'"' + _ESCAPED.sub(rb"\\\g<0>", local) + b'"' + address[end:]


def plain(text: bytes, also: bytes = b"") -> bool:
    """Whether the text is printable ASCII alone (and ``also``).

    Asked of every defer log: taking out what may be there costs a fifth of looking at each character.
    """
    return not text.translate(None, _PRINTABLE + also)


def printable(text: bytes) -> bytes:
    """The text with ``?`` for each byte that is neither printable ASCII nor part of an UTF-8 character."""
    if plain(text):
        return text
    return _SHOWN.sub(lambda found: found[0] if found[1] is None else b"?", text)


def shown(address: bytes) -> bytes:
    """An address as showq(8) prints it, and bounce(8) writes it into its logs."""
    if _PLAIN.fullmatch(address):
        return address
    return printable(quoted(address)) if address else EMPTY
