"""systemd's journal, for hosts that keep no mail log as a file.

In: a host's files.  Out: the journal's directory, if there are journals in it and journalctl to read them.
Nothing is run here.  Source: systemd-journald.service(8), "FILES"; journalctl(1).
"""

from __future__ import annotations

import os
from typing import Final

from mailscope.intake.discovery.files import HostFiles, State, state
from mailscope.intake.discovery.found import Found

_PLACES: Final = ("/var/log/journal", "/run/log/journal")
_READERS: Final = ("/usr/bin/journalctl", "/bin/journalctl", "/usr/local/bin/journalctl")


def find(host: HostFiles) -> tuple[Found, State] | None:
    """Give the journal, and whether any of its files can be read; None if there is none."""
    if not any(os.path.lexists(host.path(name)) for name in _READERS):
        return None
    for place in _PLACES:
        files = host.glob(f"{place}/*/*.journal")
        if files:
            readable = any(state(path) is State.READABLE for path in files)
            found = Found(host.path(place), "journald: there is no mail log as a file", "journal")
            return found, State.READABLE if readable else State.UNREADABLE
    return None
