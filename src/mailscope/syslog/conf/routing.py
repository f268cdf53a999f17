"""Where a message goes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from mailscope.language.phrase import Phrase
from mailscope.syslog.conf.rules import Rule
from mailscope.syslog.record import Record


class Decision(NamedTuple):
    """A rule that a message met, whether it takes it, and why."""

    rule: Rule
    taken: bool
    why: Phrase


def takes(rule: Rule, record: Record) -> bool:
    """Whether a rule takes a message."""
    if rule.selector is not None and not rule.selector.takes(record.facility, record.severity):
        return False
    return all(each.fits(record) for each in rule.filters)


def routed(rules: Sequence[Rule], record: Record) -> list[Rule]:
    """The rules that take a message, in order; none behind one that ends its way."""
    found = []
    for rule in rules:
        if takes(rule, record):
            found.append(rule)
            if rule.action.kind == "discard":
                break
    return found


def decided(rules: Sequence[Rule], record: Record) -> list[Decision]:
    """The same with all rules that the message meets, and why each takes it or not."""
    found = []
    for rule in rules:
        if rule.selector is not None and not rule.selector.takes(record.facility, record.severity):
            found.append(Decision(rule, False, Phrase("the selector does not take {name}", name=record.name)))
            continue
        missed = next((each for each in rule.filters if not each.fits(record)), None)
        if missed is not None:
            found.append(Decision(rule, False, Phrase("it does not fit {condition}", condition=missed.shown)))
            continue
        if rule.selector is None:
            why = Phrase("it fits {condition}", condition=rule.filters[0].shown)
        else:
            why = Phrase("the selector takes {name}", name=record.name)
        found.append(Decision(rule, True, why))
        if rule.action.kind == "discard":
            break
    return found
