"""The steps of a story can be told in every language, with the words of the log as they are."""

from __future__ import annotations

from typing import Any

import pytest

from mailscope.causes.explain import explain
from mailscope.language.phrase import Phrase
from mailscope.language.translator import translator
from mailscope.trails.narrative.trail import Step
from mailscope.trails.narrative.words import PHRASES, reason, words

PEER = {"client_host": "a.example.org", "client_ip": "192.0.2.1"}


def step(event: str, service: str = "smtpd", **fields: Any) -> Step:
    """A step with these fields."""
    made = Step.__new__(Step)
    made.event, made.service, made.fields, made.text, made.meaning = event, service, fields, "", ""
    return made


@pytest.mark.parametrize(
    ("event", "fields", "italian"),
    [
        ("accepted", PEER | {"sasl_user": "alice"}, "accettato da a.example.org [192.0.2.1], autenticato come alice"),
        ("queued", {"recipient_count": 2, "sender": "a@example.org"}, "in coda: 2 destinatari, dimensione ignota, da <a@example.org>"),
        (
            "delivery_attempted",
            {"recipient": "b@example.net", "status": "deferred", "relay_host": "mx.example.net", "reason": "450 {busy}"},
            "rinviato per <b@example.net> da mx.example.net: 450 {busy}; si ritenterà",
        ),
        ("rejected", PEER | {"stage": "RCPT"}, "rifiutato a RCPT da a.example.org [192.0.2.1]"),
        ("connection_lost", PEER | {"stage": "DATA"}, "persa la connessione con a.example.org [192.0.2.1] dopo DATA"),
        ("removed", {}, "uscito dalla coda"),
    ],
)  # fmt: skip
def test_steps_are_told_in_italian(event: str, fields: dict[str, Any], italian: str) -> None:
    told = PHRASES[event](step(event, **fields), fields)
    assert isinstance(told, Phrase)
    assert translator("it")(told) == italian


def test_what_qmail_local_did_is_told_in_chinese() -> None:
    told = reason({"delivery_id": "1", "reason": "did_1+2+0/"})
    assert told == "1 mailbox, 2 forwards"
    assert translator("zh")(told) == "1 个邮箱，2 次转发"


def test_a_line_without_words_of_its_own_is_told_by_its_meaning() -> None:
    meaning = (
        "qmail-send has finished its deliveries and stops; nothing is delivered until it is started again."
    )
    stopped = step("service_stopped")
    stopped.meaning = meaning
    told = words(stopped)
    assert told == meaning.removesuffix(".")
    assert translator("it")(told).startswith("qmail-send ha terminato le consegne")
    assert not translator("zh")(told).endswith("。")
    assert translator("en")(told) == told
    (line,) = explain("Nov 22 03:42:44 mail qmail: 1795319945.709190 status: exiting", "sv")
    assert line.title.startswith("qmail-send har avslutat sina leveranser")
