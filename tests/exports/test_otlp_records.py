"""OpenTelemetry log records, read by OpenTelemetry's own definitions."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from exporting import EVENTS, HOSTILE, busy, events, write
from google.protobuf.json_format import Parse
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.logs.v1 import logs_pb2

from mailscope.exports.forms.sinks import OTLP_RECORDS


def requests(*arguments: object) -> list[Any]:
    """The requests of a file; a name that OpenTelemetry does not know is an error."""
    result = events("--format", "otlp", *arguments)
    assert result.exit_code == 0, result.output
    return [Parse(line, ExportLogsServiceRequest()) for line in result.stdout.splitlines()]


def value(any_value: Any) -> object:
    return getattr(any_value, any_value.WhichOneof("value"))


def told(attributes: Any) -> dict[str, object]:
    found = {attribute.key: value(attribute.value) for attribute in attributes}
    assert len(found) == len(attributes), "a key is there twice"
    return found


def records(request: Any) -> list[tuple[dict[str, object], Any]]:
    return [
        (told(group.resource.attributes), record)
        for group in request.resource_logs
        for scope in group.scope_logs
        for record in scope.log_records
    ]


def test_a_record(log: Path) -> None:
    [request] = requests("--event", "delivery_attempted", "--limit", 1, log)
    [(resource, record)] = records(request)
    assert resource == {"host.name": "mail", "service.name": "postfix/smtp"}
    assert record.time_unix_nano == 1795318965852449000
    assert abs(record.observed_time_unix_nano - time.time_ns()) < 60e9
    assert value(record.body).startswith("4B5C61F00D: to=<bob@example.net>")
    assert record.event_name == "mail.delivery_attempted"
    assert record.severity_number == logs_pb2.SEVERITY_NUMBER_UNSPECIFIED
    attributes = told(record.attributes)
    assert attributes["mail.recipient"] == "bob@example.net"
    assert attributes["mail.delay_s"] == 1.2
    assert attributes["mail.relay_port"] == 25
    assert attributes["process.pid"] == 13
    assert attributes["mail.event"] == "delivery_attempted"


def test_all_lines_in_one_request_by_resource(log: Path) -> None:
    [request] = requests(log)
    services = [resource["service.name"] for resource, _ in records(request)]
    assert len(services) == EVENTS
    assert len(request.resource_logs) == len(set(services)) == 5
    assert request.resource_logs[0].scope_logs[0].scope.name == "mailscope"


def test_severities_are_numbered_as_the_data_model_says(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "".join(
            f"<{16 + n}>2026-11-22T03:42:44Z mail postfix/qmgr[1]: 4B5C6{n}F00D: removed\n" for n in range(8)
        ),
    )
    [request] = requests(path)
    found = [(record.severity_text, record.severity_number) for _, record in records(request)]
    assert found == [
        ("emerg", 21),
        ("alert", 19),
        ("crit", 18),
        ("err", 17),
        ("warning", 13),
        ("notice", 10),
        ("info", 9),
        ("debug", 5),
    ]
    assert {told(record.attributes)["syslog.facility"] for _, record in records(request)} == {"mail"}


def test_lines_without_stamp_or_program(tmp_path: Path) -> None:
    [request] = requests(write(tmp_path, "no stamp here\n"))
    [(resource, record)] = records(request)
    assert resource == {"service.name": "unknown_service"}
    assert record.time_unix_nano == 0
    assert value(record.body) == "no stamp here"


def test_hostile_text_stays_text(tmp_path: Path) -> None:
    path = write(tmp_path, f"2026-11-22T03:42:44Z mail {HOSTILE.split()[0]}: {HOSTILE}\n")
    result = events("--format", "otlp", path)
    assert json.loads(result.stdout)
    [request] = requests(path)
    [(_, record)] = records(request)
    assert HOSTILE in value(record.body)  # type: ignore[operator]


def test_the_examples_are_understood() -> None:
    examples = Path(__file__).parents[2] / "examples"
    found = requests("--limit", 3000, examples / "postfix", examples / "qmail" / "multilog")
    assert sum(len(records(request)) for request in found) > 1000
    for request in found:
        for _, record in records(request):
            told(record.attributes)


def test_a_line_of_a_file_holds_a_bounded_number_of_records(tmp_path: Path) -> None:
    found = requests(write(tmp_path, busy(2 * OTLP_RECORDS + 1)))
    assert [len(records(request)) for request in found] == [OTLP_RECORDS, OTLP_RECORDS, 1]
