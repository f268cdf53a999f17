"""Documents of the Elastic Common Schema: names and values that it knows, and nothing lost."""

from __future__ import annotations

import json
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Final

from exporting import EVENTS, HOSTILE, events, write

from mailscope.cli.terminal import safe
from mailscope.exports import names
from mailscope.exports.categories import CATEGORIES
from mailscope.exports.choice import EXPORTED
from mailscope.vocabulary.events import EVENTS as VOCABULARY

# Names and types of the ECS 8.11 field reference, as far as we use them.
ECS_TYPES: Final = {
    "@timestamp": "date",
    "message": "text",
    "ecs.version": "keyword",
    "host.name": "keyword",
    "process.name": "keyword",
    "process.pid": "long",
    "service.name": "keyword",
    "log.level": "keyword",
    "log.file.path": "keyword",
    "log.syslog.appname": "keyword",
    "log.syslog.facility.name": "keyword",
    "log.syslog.facility.code": "long",
    "log.syslog.severity.name": "keyword",
    "log.syslog.severity.code": "long",
    "event.kind": "keyword",
    "event.category": "keywords",
    "event.type": "keywords",
    "event.outcome": "keyword",
    "event.action": "keyword",
    "event.reason": "keyword",
    "event.module": "keyword",
    "event.dataset": "keyword",
    "email.local_id": "keyword",
    "email.message_id": "keyword",
    "email.subject": "keyword",
    "user.id": "keyword",
    "user.name": "keyword",
    "source.domain": "keyword",
    "source.address": "keyword",
    "source.ip": "ip",
    "source.port": "long",
    "source.bytes": "long",
    "client.domain": "keyword",
    "client.address": "keyword",
    "client.ip": "ip",
    "destination.address": "keyword",
    "destination.ip": "ip",
    "destination.port": "long",
    "destination.bytes": "long",
    "server.domain": "keyword",
    "server.address": "keyword",
    "server.ip": "ip",
    "server.port": "long",
    "tls.cipher": "keyword",
    "tls.curve": "keyword",
    "file.path": "keyword",
    "user.target.name": "keyword",
    "group.name": "keyword",
    "process.working_directory": "keyword",
    "http.request.method": "keyword",
    "http.request.referrer": "keyword",
    # Of type wildcard, which is one of keyword's family.
    "url.path": "keyword",
    "user_agent.original": "keyword",
    "observer.ingress.interface.name": "keyword",
}
# Allowed values of event.category, with the types that the reference expects in each.
TYPES_OF: Final = {
    "authentication": {"start", "end", "info"},
    "configuration": {"access", "change", "creation", "deletion", "info"},
    "email": {"info"},
    "network": {"access", "allowed", "connection", "denied", "end", "info", "protocol", "start"},
    "process": {"access", "change", "end", "info", "start"},
    "session": {"start", "end", "info"},
    "web": {"access", "error", "info"},
}
OWN_KINDS: Final = {"str": str, "int": int, "float": float}


def documents(*arguments: object) -> list[dict[str, Any]]:
    result = events("--format", "ecs", *arguments)
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def flat(document: dict[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in document.items():
        if isinstance(value, dict):
            assert value, f"{before}{name} is empty"
            yield from flat(value, f"{before}{name}.")
        else:
            yield before + name, value


def wrong(path: str, value: object) -> bool:
    """Whether a member is not of ECS, or not of the type that ECS or our vocabulary give it."""
    if path.startswith("mail."):
        kinds = {field.name: OWN_KINDS.get(field.kind) for field in EXPORTED}
        return type(value) is not kinds[path.removeprefix("mail.")]
    kind = ECS_TYPES[path]
    if kind == "long":
        return type(value) is not int
    if kind == "keywords":
        return not isinstance(value, list) or not all(isinstance(each, str) for each in value)
    if kind == "ip":
        ip_address(str(value))
    return not isinstance(value, str)


def test_every_line_is_a_document_of_known_names_and_types(log: Path) -> None:
    found = documents(log)
    assert len(found) == EVENTS
    for document in found:
        assert [(path, value) for path, value in flat(document) if wrong(path, value)] == []


def test_the_examples_give_documents_of_known_names_and_types() -> None:
    examples = Path(__file__).parents[2] / "examples"
    found = documents(examples / "postfix", examples / "qmail" / "multilog")
    assert len(found) > 1000
    assert [(p, v) for document in found for p, v in flat(document) if wrong(p, v)] == []


def test_a_delivery(log: Path) -> None:
    sent, deferred = documents("--event", "delivery_attempted", log)
    assert sent["@timestamp"] == "2026-11-22T03:42:45.852449Z"
    assert sent["event"] == {
        "action": "delivery_attempted",
        "reason": "250 2.0.0 Ok: queued as 4B5C8120A3",
        "kind": "event",
        "module": "mailscope",
        "dataset": "mailscope.events",
        "category": ["email"],
        "type": ["info"],
        "outcome": "success",
    }
    assert sent["destination"] == {"address": "mx1.example.net", "ip": "192.0.2.25", "port": 25}
    assert sent["email"] == {"local_id": "4B5C61F00D"}
    assert sent["process"] == {"name": "smtp", "pid": 13}
    assert sent["mail"]["recipient"] == "bob@example.net"
    assert sent["mail"]["delay_s"] == 1.2
    assert deferred["event"]["outcome"] == "failure"
    assert deferred["destination"] == {"address": "none"}


def test_priorities_are_told_by_name_and_number(log: Path) -> None:
    [document] = documents("--event", "identified", log)
    assert document["log"]["syslog"]["facility"] == {"name": "mail", "code": 2}
    assert document["log"]["syslog"]["severity"] == {"name": "info", "code": 6}
    assert document["log"]["level"] == "info"


def test_an_address_that_is_none_does_not_spoil_the_document(tmp_path: Path) -> None:
    patterns = tmp_path / "patterns"
    patterns.mkdir()
    (patterns / "probe.toml").write_text(
        "[program]\nname = 'probe'\nservice = 'probe'\ntags = ['probe']\n\n"
        "[[event]]\nevent = 'connected'\n"
        "match = 'from {client_ip:word} as {user:word} sasl {sasl_user:word}'\n"
        "meaning = 'A probe.'\n[[event.example]]\ntext = 'from 192.0.2.1 as a sasl b'\n"
        "fields = { client_ip = '192.0.2.1', user = 'a', sasl_user = 'b' }\n"
    )
    log = write(
        tmp_path,
        "2026-11-22T03:42:44Z mail probe[1]: from local as a sasl b\n"
        "2026-11-22T03:42:45Z mail probe[1]: from 2001:db8::1 as a sasl b\n",
    )
    odd, plain = documents("--patterns", patterns, log)
    assert odd["source"] == {"address": "local"}
    assert plain["source"] == {"ip": "2001:db8::1"}
    # Two fields of one ECS name: neither is lost.
    assert {odd["user"]["name"], *odd["mail"].values()} >= {"a", "b"}


def test_only_the_fields_asked_for_and_those_that_every_document_has(log: Path) -> None:
    document = documents("--fields", "queue_id,status", log)[4]
    members = {path for path, _ in flat(document)} - {path for path in ECS_TYPES if path.startswith("event.")}
    assert members == {
        *("@timestamp", "host.name", "log.syslog.appname", "message", "ecs.version"),
        *("email.local_id", "mail.status"),
    }


def test_hostile_text_stays_text(tmp_path: Path) -> None:
    path = write(tmp_path, f"2026-11-22T03:42:44Z mail unheard-of[1]: {HOSTILE}\nno stamp here\n")
    result = events("--format", "ecs", path)
    assert json.loads(result.stdout.splitlines()[0])["message"] == HOSTILE
    assert safe(result.stdout.replace("\n", "")) == result.stdout.replace("\n", "")


def test_every_field_has_a_name_of_ecs_or_of_ours() -> None:
    for field in EXPORTED:
        assert names.ecs(field.name) in {*ECS_TYPES, f"mail.{field.name}"}


def test_no_name_is_the_beginning_of_another() -> None:
    paths = {*ECS_TYPES, *(names.ecs(field.name) for field in EXPORTED)}
    assert [(a, b) for a in paths for b in paths if b.startswith(f"{a}.")] == []


def test_every_event_has_a_place_that_ecs_allows() -> None:
    assert CATEGORIES.keys() == VOCABULARY.keys()
    for event, category in CATEGORIES.items():
        expected = set().union(*(TYPES_OF[name] for name in category.category))
        assert set(category.type) <= expected, event
        assert bool(category.type) == bool(category.category), event
