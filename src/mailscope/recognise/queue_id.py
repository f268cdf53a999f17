"""Taking the queue id off the front of a text (Postfix: ``QUEUEID: `` or ``NOQUEUE: ``)."""

from __future__ import annotations

import re
from typing import Final

from mailscope.recognise.tokens import TOKENS

# RE2/Rust syntax; group 1 is the id.  NOQUEUE says that there is none.
QUEUE_ID_REGEX: Final = f"^({TOKENS['queue_id']}|NOQUEUE): "
_COMPILED: Final = re.compile(QUEUE_ID_REGEX)
NO_QUEUE: Final = "NOQUEUE"


def split_queue_id(text: str) -> tuple[str | None, str]:
    """``("4B5C61F00D", rest)``, or ``(None, rest)`` after NOQUEUE and where there is no id."""
    found = _COMPILED.match(text)
    if found is None:
        return None, text
    return (None if found[1] == NO_QUEUE else found[1]), text[found.end() :]
