"""What a rule means elsewhere: sysklogd and rsyslog on one side, the BSDs' syslogd on the other."""

from __future__ import annotations

from collections.abc import Iterator

from mailscope.intake.discovery.selectors import Dialect as Selecting
from mailscope.intake.discovery.selectors import Selector, parse_selector
from mailscope.language.phrase import Phrase
from mailscope.syslog.conf.rules import Dialect
from mailscope.syslog.conf.taken import taken


def elsewhere(selecting: str, action: str, dialect: Dialect) -> Iterator[Phrase]:
    """What is to be known before the rule is given to another daemon."""
    here = _read(selecting, dialect.selecting)
    other = Selecting.LINUX if dialect is Dialect.BSD else Selecting.BSD
    there = _read(selecting, other)
    if here is not None and there is None:
        yield (
            Phrase("the BSDs' syslogd does not read this selector")
            if other is Selecting.BSD
            else Phrase("sysklogd and rsyslog do not read this selector")
        )
    elif here is not None and there is not None and here.taken[:-1] != there.taken[:-1]:
        yield (
            Phrase("the BSDs' syslogd takes otherwise: {what}", what=taken(there))
            if other is Selecting.BSD
            else Phrase("sysklogd and rsyslog take otherwise: {what}", what=taken(there))
        )
    if action.startswith("|") and dialect is not Dialect.BSD:
        yield Phrase("the BSDs' syslogd would run that as a command")
    elif action.startswith("|"):
        yield Phrase("sysklogd and rsyslog would take that for the path of a named pipe")
    if action.startswith("@@"):
        yield Phrase("rsyslog alone knows @@")


def _read(selecting: str, dialect: Selecting) -> Selector | None:
    try:
        return parse_selector(selecting, dialect)
    except ValueError:
        return None
