"""What a sink could not write: told when it begins and when it is over, with how much was lost."""

from __future__ import annotations

from collections.abc import Callable


class Troubles:
    """The state of one sink."""

    def __init__(self, name: str, say: Callable[[str], None]) -> None:
        self._name, self._say = name, say
        self._what = ""
        self.lost = 0

    def met(self, error: OSError, lost: int) -> None:
        """Something failed; so many messages are lost by it."""
        self.lost += lost
        what = error.strerror or str(error)
        if what != self._what:
            self._what = what
            self._say(f"{self._name}: {what}")

    def passed(self) -> None:
        """It works."""
        if self._what:
            self._what = ""
            self._say(f"{self._name}: works again; {self.lost} messages were lost")
            self.lost = 0
