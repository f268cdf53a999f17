"""What people who see some domains only are told of messages that others have a part in, too.

Of a message from one of their domains they see all recipients, as its sender named them.  Of one from
elsewhere they see what concerns their own recipients: who else got it is not theirs to know.  The local parts
of others' addresses are hidden in any case (``covering.py``).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Final

from mailscope.language.phrase import Phrase
from mailscope.trails.narrative.trail import Link, Recipient, Step, Story, Trail
from mailscope.vocabulary.errors import UsageError
from mailscope.web.people.masking import HIDDEN, Masking

# Fields of a line, and of a session, that name who logged in.
LOGINS: Final = ("sasl_user", "user", "target_user")
# A session may have brought messages of others.
OF_SESSION: Final = frozenset({*LOGINS, "queue_ids", "sender", "recipient"})
OF_RECIPIENT: Final = ("recipient", "orig_recipient")


def stories(found: Iterable[Story], masking: Masking) -> list[Story]:
    """Stories without the trails, recipients and lines that are not theirs, as far as any is left."""
    told = []
    for story in found:
        whole = [trail for trail in story.trails if of(trail, masking)]
        known = {trail.trail_id for trail in whole}
        if whole:
            told.append(Story([_trail(trail, masking, known) for trail in whole]))
    return told


def of(trail: Trail, masking: Masking) -> bool:
    """Whether it is from or to one of their domains."""
    return masking.address(trail.sender) or any(_to(each, masking) for each in trail.recipients)


def subject(text: str, masking: Masking) -> None:
    """Raise UsageError for what is no address of theirs, nor one of their domains."""
    if not (masking.address(text) or masking.ours(text.strip().lstrip("@"))):
        raise UsageError(
            Phrase("this is not of a domain of yours"), text[:80], Phrase("ask for an address of one")
        )


def about(told: dict[str, Any], masking: Masking) -> dict[str, Any]:
    """What is told of such a subject, without what it tells of others."""
    hidden = masking.strict()
    others = {
        name: {**found, "rows": [row for row in found["rows"] if masking.address(row["value"])]}
        if name in ("recipient", *LOGINS)
        else found
        for name, found in told["others"].items()
    }
    for name in ("recipient", *LOGINS):
        if name in others:
            others[name]["total"] = len(others[name]["rows"])
    messages = [
        row
        if masking.address(row["sender"])
        else {**row, "recipients": [each for each in row["recipients"] if masking.address(each["recipient"])]}
        for row in told["messages"]
    ]
    causes = [{**row, "sample": hidden.text(row["sample"] or "")} for row in told["causes"]]
    return {
        **told,
        "others": others,
        "causes": causes,
        "messages": [row for row in messages if row["recipients"] or masking.address(row["sender"])],
        "lines_shown": {name: [] for name in told["lines_shown"]},
    }


def _to(recipient: Recipient, masking: Masking) -> bool:
    named = [recipient.recipient, *(attempt.fields.get("orig_recipient") for attempt in recipient.attempts)]
    return any(masking.address(each) for each in named)


def _trail(trail: Trail, masking: Masking, known: set[str]) -> Trail:
    links = [link for link in trail.links if link.trail_id in known]
    session = trail.session and {
        key: (HIDDEN if value else value) if key in OF_SESSION else value
        for key, value in trail.session.items()
    }
    if masking.address(trail.sender):
        return replace(trail, links=links, session=session)
    hidden = masking.strict((trail.sender or "").rpartition("@")[2])
    return replace(
        trail,
        recipients=[_recipient(each, hidden) for each in trail.recipients if _to(each, masking)],
        steps=[_step(step, hidden) for step in trail.steps if _concerns(step, masking)],
        links=[_link(link, masking) for link in links],
        session=session,
    )


def _recipient(recipient: Recipient, hidden: Masking) -> Recipient:
    attempts = [
        replace(attempt, fields={key: _hidden(value, hidden) for key, value in attempt.fields.items()})
        for attempt in recipient.attempts
    ]
    return replace(recipient, attempts=attempts, mailbox=[_step(step, hidden) for step in recipient.mailbox])


def _concerns(step: Step, masking: Masking) -> bool:
    """Whether a line tells of one of their recipients, or of none."""
    named = [step.for_recipient, *(step.fields.get(name) for name in OF_RECIPIENT)]
    return not any(named) or any(masking.address(each) for each in named)


def _step(step: Step, hidden: Masking) -> Step:
    logins = [str(step.fields[name]) for name in LOGINS if step.fields.get(name)]

    def told(text: str) -> str:
        for name in logins:
            text = text.replace(name, HIDDEN)
        return hidden.text(text)

    fields = {name: _hidden(value, hidden) for name, value in step.fields.items() if name not in LOGINS}
    # Words are translated later; those that name somebody are told as the line has it.
    words = step.words if told(str(step.words)) == str(step.words) else told(str(step.words))
    return replace(step, fields=fields, text=told(step.text), raw=told(step.raw), words=words)


def _link(link: Link, masking: Masking) -> Link:
    return replace(link, recipients=[each for each in link.recipients if masking.address(each)])


def _hidden(value: Any, hidden: Masking) -> Any:
    if isinstance(value, str):
        return hidden.text(value)
    return [_hidden(each, hidden) for each in value] if isinstance(value, list) else value
