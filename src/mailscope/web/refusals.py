"""Why a question is not answered, as the API tells it."""

from __future__ import annotations

from typing import Any, Final

from mailscope.vocabulary.errors import MailscopeError
from mailscope.web.answers import Refused

STATUS: Final = "see 'mailscope store status' and 'mailscope store verify'"

REFUSED: Final[dict[int | str, dict[str, Any]]] = {
    400: {"model": Refused, "description": "It cannot be asked so."},
    422: {"model": Refused, "description": "A parameter or field is wrong."},
    500: {"model": Refused, "description": "A mistake of the program."},
    503: {"model": Refused, "description": "It cannot be answered now."},
}


class NotAllowedError(MailscopeError):
    """This user may ask, but change nothing."""

    def __init__(self, who: str, group: str) -> None:
        members = f", the members of {group}" if group else ""
        super().__init__(
            f"{who} may not change the store", "the daemon", f"root, the daemon's user{members} may"
        )


def told(error: Exception) -> Refused:
    """An error in words."""
    if isinstance(error, MailscopeError):
        return Refused(what=error.what, where=error.where, what_to_do=error.what_to_do)
    words = " ".join(str(error).split())[:300]
    return Refused(what=f"it cannot be used now ({words})", where="the store", what_to_do=STATUS)
