"""What a code, a reply, a log line or a notification means: ``mailscope explain``.

In: text as a person has it before them.  Out: for each thing in it what it means, whose fault it is, what to
do, and where that is written.  Nothing is looked up anywhere but in our own data.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import polars as pl

from mailscope.causes import messages
from mailscope.causes.bounces import Subject, subjects
from mailscope.causes.catalogue import (
    INCOMING,
    OUTGOING,
    UNCLASSIFIED,
    Direction,
    catalogue,
    fault_words,
)
from mailscope.causes.classify import ENHANCED_IN_TEXT, REPLY_IN_TEXT, classify, shaped
from mailscope.causes.codes import CLASS, ENHANCED, Code, enhanced, reply
from mailscope.causes.lists import look_up
from mailscope.causes.wording import rules
from mailscope.language.translator import translator
from mailscope.recognise.explain import explain_line
from mailscope.vocabulary.errors import UsageError

# Of a whole log only so many lines: for logs there are report and trace.
MOST: Final = 100
# Of events that carry no reason, the cause that they are.
EVENT_CAUSES: Final = {
    "login_failed": "auth_failed",
    "connection_lost": "connection_lost",
    "connection_timed_out": "conversation_timed_out",
    "expired": "expired",
    "tls_failed": "tls_failed",
}
OURS: Final = frozenset({"smtp", "lmtp", "qmail-remote"})
REFUSED: Final = frozenset({"rejected", "reject_warned"})
REPLY: Final = re.compile("[245][0-9][0-9][ -]")


@dataclass
class Explanation:
    """What one thing means.

    ``subject``: its words; ``cause`` and ``basis`` as in ``classify`` (None where nothing failed); ``codes``:
    code -> meaning; ``fault``: a word of ours, ``fault_text`` the same in words.
    """

    subject: str
    direction: Direction
    event: str | None = None
    recipient: str | None = None
    cause: str | None = None
    basis: str | None = None
    provider: str = ""
    blocklist: str | None = None
    kind: str | None = None
    title: str = ""
    meaning: str = ""
    fault: str = ""
    fault_text: str = ""
    advice: str = ""
    codes: dict[str, str] = field(default_factory=dict)
    references: list[str] = field(default_factory=list)

    def as_data(self) -> dict[str, Any]:
        """The explanation as plain data, without what is not known."""
        names = self.__dataclass_fields__
        return {name: value for name in names if (value := getattr(self, name)) not in (None, "", [], {})}


def explain(
    text: str, language: str = "en", direction: Direction = OUTGOING, patterns: Path | None = None
) -> list[Explanation]:
    """Explain everything in a text.

    In: a code (``5.7.26``, ``550``), the name of a cause, a reply, a log line or several, or a notification;
    the language; for a bare reply, whether others gave it to us (outgoing) or we to others.  Raises
    UsageError where there is nothing to explain, or too much.
    """
    found = subjects(text)
    if not found:
        raise UsageError("there is nothing to explain", "TEXT", "give a code, a reply or a log line")
    if len(found) > MOST:
        raise UsageError(
            f"these are {len(found)} lines, more than {MOST}",
            "TEXT",
            "for a whole log use 'mailscope report' or 'mailscope trace'",
        )
    return [_explain(subject, language, direction, patterns) for subject in found]


def _explain(subject: Subject, language: str, direction: Direction, patterns: Path | None) -> Explanation:
    text = subject.text
    if text in catalogue():
        return _with_cause(Explanation(text, direction, cause=text), language)
    bare = _bare_code(text)
    if bare is not None:
        return _of_code(text, bare, language, direction)
    line = _line(text, patterns) if subject.recipient is None else None
    if line is not None:
        return _of_line(line, text, language)
    return _of_reason(subject, language, direction)


def _bare_code(text: str) -> Code | None:
    """The code that a text is; None for a text that is more, or no code."""
    if text.isdecimal() and len(text) == 3:
        found = reply(int(text))
        if found is None:
            raise UsageError(f"no reply code {text} is known", "TEXT", "codes lie between 200 and 599")
        return found
    if ENHANCED.fullmatch(text) is None:
        return None
    # Of a code that nobody registered its subject is known at least: x.7 is security, whatever the detail.
    known = enhanced(text) or enhanced(f"{text.rpartition('.')[0]}.0")
    if known is None:
        raise UsageError(
            f"no enhanced code {text} is known", "TEXT", "subjects lie between 0 and 7 (RFC 3463)"
        )
    return known


def _of_code(text: str, code: Code, language: str, direction: Direction) -> Explanation:
    told = Explanation(text, direction, basis="enhanced_code" if "." in text else "reply_code")
    told.codes = {text: code.meaning[language]}
    told.provider = code.provider
    failed = text[0] in "45"
    told.kind = CLASS.get(text[0])
    if failed and code.cause not in (None, UNCLASSIFIED):
        told.cause = code.cause
        _with_cause(told, language)
    else:
        told.title = code.meaning[language]
        tr = translator(language)
        told.advice = (
            tr("Explain the whole reply: the words after the code tell the cause.") if failed else ""
        )
    told.references = list(dict.fromkeys((*code.references, *told.references)))
    return told


def _line(text: str, patterns: Path | None) -> dict[str, Any] | None:
    """How a log line is read; None for a text that no pattern knows, and for a bare reply.

    Postfix logs replies as they are when it is asked to; but who types one wants to know about the reply.
    """
    if REPLY.match(text):
        return None
    found = explain_line(text, patterns)
    return found if "pattern" in found else None


def _of_line(line: dict[str, Any], text: str, language: str) -> Explanation:
    event, fields = line["event"], line["fields"]
    service = line["envelope"].get("service")
    attempt = event == "delivery_attempted"
    outgoing = attempt or event == "expired" or service in OURS
    direction: Direction = OUTGOING if outgoing else INCOMING
    told = Explanation(text, direction, event=event, recipient=fields.get("recipient"))
    failed = attempt and fields.get("status") not in ("sent", "deliverable")
    if failed or event in REFUSED:
        told.subject = fields.get("reason") or fields.get("action", "").replace("_", " ")
        _judge(told, fields.get("status"), fields.get("dsn_status"), fields.get("reply_code"), language)
        told.blocklist = fields.get("blocklist") or told.blocklist
    elif event in EVENT_CAUSES:
        told.cause = EVENT_CAUSES[event]
        _with_cause(told, language)
    else:
        _with_message(told, line["text"], language)
        told.title = told.meaning or translator(language)(line["pattern"]["meaning"])
    return told


def _of_reason(subject: Subject, language: str, direction: Direction) -> Explanation:
    told = Explanation(subject.text, direction, recipient=subject.recipient)
    _judge(told, subject.status, subject.dsn_status, None, language)
    if told.basis not in ("words", "enhanced_code") and messages.find(subject.text):
        told.cause = told.basis = None
        _with_message(told, subject.text, language)
    return told


def _judge(
    told: Explanation, status: str | None, dsn_status: str | None, reply_code: int | None, language: str
) -> None:
    """Classify the words, and tell the codes in them."""
    rows = pl.DataFrame(
        {
            "reason": [told.subject],
            "status": [status],
            "dsn_status": [dsn_status],
            "reply_code": [reply_code],
        },
        schema={"reason": pl.String, "status": pl.String, "dsn_status": pl.String, "reply_code": pl.Int64},
    )
    judged = classify(rows.with_columns(shaped(pl.col("reason"))), told.direction).row(0, named=True)
    told.cause, told.basis, told.blocklist = judged["cause"], judged["basis"], judged["blocklist"]
    if judged["rule"] is not None:
        rule = rules()[judged["rule"]]
        told.provider, told.references = rule.provider, list(rule.references)
    _with_codes(told, dsn_status, reply_code, language)
    _with_cause(told, language)


def _with_codes(told: Explanation, dsn_status: str | None, reply_code: int | None, language: str) -> None:
    """The meanings of the codes of a reply."""
    number, code = codes_of(told.subject)
    number = reply_code or number
    for known, name in ((reply(number) if number else None, str(number)), *_enhanced(code, dsn_status)):
        if known is not None:
            told.codes[name] = known.meaning[language]


def _enhanced(*codes: str | None) -> list[tuple[Code | None, str]]:
    return [(enhanced(code), code) for code in codes if code]


def codes_of(text: str) -> tuple[int | None, str | None]:
    """The reply code and the enhanced code that a reply names."""
    shape = pl.col("reason").pipe(shaped)
    frame = pl.DataFrame({"reason": [text]}).select(
        number=shape.str.extract(REPLY_IN_TEXT, 1).cast(pl.Int64), code=shape.str.extract(ENHANCED_IN_TEXT, 1)
    )
    return frame.row(0)


def _with_cause(told: Explanation, language: str) -> Explanation:
    """Put the texts of the cause in."""
    if told.cause is None:
        return told
    cause = catalogue()[told.cause]
    text = cause.text(language, told.direction)
    told.title, told.meaning, told.advice = text.title, text.meaning, text.advice
    told.fault, told.fault_text = cause.whose_fault(told.direction), text.fault
    place = look_up(told.blocklist) if told.blocklist else None
    told.references = list(dict.fromkeys((*([place] if place else []), *told.references, *cause.references)))
    return told


def _with_message(told: Explanation, text: str, language: str) -> None:
    """Put in what the tables of log messages say of a line."""
    message = messages.find(text)
    if message is None:
        return
    words = message.words[language]
    told.kind, told.provider, told.meaning = message.kind, message.program, words["meaning"]
    told.advice, told.fault = words["advice"], message.fault
    told.fault_text = fault_words(message.fault, language)
