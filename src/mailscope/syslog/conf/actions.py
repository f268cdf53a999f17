"""What a rule does with a message: the second half of its line."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from mailscope.language.phrase import Phrase
from mailscope.syslog.conf.rules import Action, Dialect, Form

_TEMPLATES: Final[dict[str, Form]] = {
    "rsyslog_traditionalfileformat": "traditional",
    "rsyslog_fileformat": "rfc3339",
    "rsyslog_syslogprotocol23format": "rfc5424",
    "rsyslog_traditionalforwardformat": "traditional",
    "rsyslog_forwardformat": "rfc3339",
    "rfc3164": "traditional",
    "rfc5424": "rfc5424",
}
_ROTATE: Final = re.compile(r"rotate=([0-9]+)([kKmMgG]?)(?::([0-9]+))?")
_UNITS: Final = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}
_HOST: Final = re.compile(r"(?:\[([^\]]+)\]|([^:\s]+))(?::([0-9]{1,5}))?")
_USER: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*\$?")
_KEPT: Final = 5  # files beside the one that is written, where only a size is given


class BadAction(ValueError):
    """No such action; ``phrase`` says what is wrong with it."""

    def __init__(self, phrase: Phrase) -> None:
        super().__init__(phrase)
        self.phrase = phrase


def parse_action(text: str, dialect: Dialect, form: Form) -> tuple[Action, list[Phrase]]:
    """Read an action; gives remarks on parts of it that mean nothing.  Raises BadAction.

    ``form``: of what is written where it does not say.
    """
    if text in ("~", "stop") and dialect is Dialect.RSYSLOG:
        return Action("discard"), []
    if text.startswith("|") and dialect is Dialect.BSD:
        return Action("command", text[1:].strip(), form=form), []
    body, _, options = text.partition(";")
    body = body.strip()
    action = _plain(body, dialect, form)
    return _with_options(action, options.strip())


def _plain(body: str, dialect: Dialect, form: Form) -> Action:
    if not body:
        raise BadAction(Phrase("there is no action"))
    if body.startswith(":omusrmsg:") and dialect is Dialect.RSYSLOG:
        body = body.removeprefix(":omusrmsg:")
    if body.startswith(":omfile:") and dialect is Dialect.RSYSLOG:
        body = body.removeprefix(":omfile:")
    if body == "*":
        return Action("everyone", form=form)
    if body.startswith(("/", "-/")):
        path = body.removeprefix("-").split()[0]
        if path.startswith("/dev/"):
            return Action("device", path, form=form)
        # rsyslog syncs only where $ActionFileEnableSync says so; the others where there is no "-".
        synced = not body.startswith("-") and dialect is not Dialect.RSYSLOG
        return Action("file", path, synced=synced, form=form)
    if body.startswith("|"):
        path = body[1:].strip()
        if not path.startswith("/"):
            raise BadAction(Phrase("a pipe is a path here: a command is run by the BSDs' syslogd only"))
        return Action("fifo", path, form=form)
    if body.startswith("@"):
        return _remote(body, dialect, form)
    names = [name.strip() for name in body.split(",")]
    if all(_USER.fullmatch(name) for name in names):
        return Action("users", ",".join(names), form=form)
    raise BadAction(Phrase("no action begins like '{text}'", text=body[:40]))


def _remote(body: str, dialect: Dialect, form: Form) -> Action:
    tcp = body.startswith("@@")
    if tcp and dialect is not Dialect.RSYSLOG:
        raise BadAction(Phrase("@@ sends over TCP in rsyslog only"))
    # rsyslog: (o) counts octets, (z9) compresses; neither is needed to be understood.
    rest = re.sub(r"^\([^)]*\)", "", body.lstrip("@"))
    found = _HOST.fullmatch(rest.strip())
    port = int(found[3] or 514) if found else 0
    if found is None or not 0 < port < 1 << 16:
        raise BadAction(Phrase("'{text}' is no host, or its port none", text=rest[:60]))
    # Forwarded lines keep the date whole unless they are to be of the older form.
    return Action("tcp" if tcp else "udp", found[1] or found[2], port, form=form)


def _with_options(action: Action, text: str) -> tuple[Action, list[Phrase]]:
    remarks = []
    for option in filter(None, (part.strip() for part in text.split(","))):
        rotate = _ROTATE.fullmatch(option)
        if form := _TEMPLATES.get(option.lower()):
            action = replace(action, form=form)
        elif rotate and action.kind == "file":
            size = int(rotate[1]) * _UNITS[rotate[2].lower()]
            action = replace(action, rotate_bytes=size, rotate_count=int(rotate[3] or _KEPT))
        else:
            remarks.append(
                Phrase("'{option}' behind the action is not known and means nothing", option=option)
            )
    return action, remarks


def template_form(name: str) -> Form | None:
    """The form that a template's name stands for; None where it is not known."""
    return _TEMPLATES.get(name.strip().lower())
