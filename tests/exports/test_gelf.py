"""GELF messages: what the payload specification asks for."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from exporting import EVENTS, HOSTILE, events, write

from mailscope.exports import names
from mailscope.exports.choice import EXPORTED

STANDARD = {"version", "host", "short_message", "full_message", "timestamp", "level"}


def messages(*arguments: object) -> list[dict[str, Any]]:
    result = events("--format", "gelf", *arguments)
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def check(message: dict[str, Any]) -> None:
    """Hold a message against the specification."""
    assert message["version"] == "1.1"
    assert isinstance(message["host"], str)
    assert message["host"].strip()
    assert isinstance(message["short_message"], str)
    assert message["short_message"].strip()
    assert isinstance(message.get("timestamp", 0.0), float)
    assert message["level"] in range(8)
    assert "_id" not in message
    for name, value in message.items():
        assert name in STANDARD or re.fullmatch(r"_[\w.\-]+", name), name
        assert isinstance(value, str | int | float), name


def test_every_line_is_a_message(log: Path) -> None:
    found = messages(log)
    assert len(found) == EVENTS
    for message in found:
        check(message)


def test_a_message(log: Path) -> None:
    message = messages(log)[3]
    assert message == {
        "version": "1.1",
        "host": "mail",
        "short_message": "4B5C61F00D: from=<>, size=912, nrcpt=1 (queue active)",
        "full_message": "2026-11-22T03:42:44.752449+00:00 mail postfix/qmgr[12]: 4B5C61F00D: from=<>, "
        "size=912, nrcpt=1 (queue active)",
        "timestamp": 1795318964.752449,
        "level": 6,
        "_program": "postfix/qmgr",
        "_service": "qmgr",
        "_instance": "postfix",
        "_pid": 12,
        "_event": "queued",
        "_log_file": str(log),
        "_line_number": 4,
        "_queue_id": "4B5C61F00D",
        "_sender": "",
        "_size_bytes": 912,
        "_recipient_count": 1,
    }


def test_the_level_is_the_lines_own_or_that_of_its_kind(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "<19>Nov 22 03:42:44 mail postfix/qmgr[1]: 4B5C61F00D: removed\n"
        "Nov 22 03:42:44 mail postfix/qmgr[1]: 4B5C61F00D: removed\n"
        "Nov 22 03:42:44 mail postfix/qmgr[1]: warning: something is odd\n"
        "Nov 22 03:42:44 mail postfix/qmgr[1]: fatal: no more\n"
        "Nov 22 03:42:44 mail postfix/qmgr[1]: panic: no more\n",
    )
    found = messages(path)
    assert [message["level"] for message in found] == [3, 6, 4, 3, 2]
    assert [message.get("_severity") for message in found] == ["err", None, None, None, None]


def test_lines_without_host_or_text_get_what_graylog_insists_on(tmp_path: Path) -> None:
    path = write(tmp_path, "no stamp here\n2026-11-22T03:42:44Z mail postfix/qmgr[1]: \n")
    first, second = messages(path)
    assert (first["host"], first["short_message"]) == ("unknown", "no stamp here")
    check(second)


def test_only_the_fields_asked_for(log: Path) -> None:
    message = messages("--fields", "queue_id", log)[3]
    assert message.keys() == STANDARD | {"_event", "_queue_id"}


def test_hostile_text_stays_text(tmp_path: Path) -> None:
    [message] = messages(write(tmp_path, f"2026-11-22T03:42:44Z mail unheard-of[1]: {HOSTILE}\n"))
    assert message["short_message"] == HOSTILE
    assert message["full_message"].endswith(HOSTILE)


def test_names_are_legal_and_no_two_are_alike() -> None:
    given = [names.gelf(field.name) for field in EXPORTED]
    assert len(set(given)) == len(given)
    assert "_id" not in given
    assert "_source" not in given
