"""Who asks on the daemon's unix socket: a user of this host, as the kernel tells (``server.py``)."""

from __future__ import annotations

import grp
import os
import pwd
from typing import Final

from fastapi import Request

from mailscope.web.people.roles import ACTIONS, Action
from mailscope.web.people.viewer import Viewer

# Of those whom the socket's mode lets ask, but who may not change the store.
ASKING: Final[frozenset[Action]] = frozenset(ACTIONS) - {"store"}


def peer(request: Request, group: str) -> Viewer:
    """The user at the other end; ``group``: whose members may change the store."""
    if request.client is None:
        return Viewer("unknown", scope=ASKING)
    name, uid = request.client
    return Viewer(name, scope=None if allowed(uid, group) else ASKING)


def allowed(uid: int, group: str) -> bool:
    """Whether a user may change the store: root, the daemon's own user, the members of the group."""
    if uid in (0, os.geteuid()):
        return True
    if not group:
        return False
    try:
        account, wanted = pwd.getpwuid(uid), grp.getgrnam(group).gr_gid
    except KeyError:
        return False
    return wanted in os.getgrouplist(account.pw_name, account.pw_gid)
