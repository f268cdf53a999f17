"""The document of the API says all that may be answered: schemathesis asks whatever it allows, and more."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from entering import Served
from hypothesis import HealthCheck, Phase, given, settings
from running import FUZZ, examples
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from serving import append, made_lines

from mailscope.web.people import tokens
from mailscope.web.people.book import Book
from mailscope.web.people.roles import ACTIONS

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
# It goes on for ever: ``tests/daemon`` reads some of it.
ENDLESS = "/v1/tail"
# What works on the whole store takes its time.
HEAVY = ("/v1/store/", "/v1/ingest", "/v1/erase")
EXAMPLES = examples(12, 300)


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with Served(tmp_path_factory.mktemp("document")) as running:
        append(running.log, made_lines(50))
        running.start()
        running.wait_for(50)
        running.entered("ada", "admin")
        yield running
        running.stop()


def test_every_answer_is_one_that_the_document_tells(daemon: Served) -> None:
    book = Book(daemon.store)
    token = {"Authorization": f"Bearer {tokens.make(book, 'ada', 'document', list(ACTIONS), 1)}"}
    schema = schemathesis.openapi.from_url(f"{daemon.address}/v1/openapi.json", headers=token)
    asked = []
    for found in schema.get_all_operations():
        operation = found.ok()
        if operation.path == ENDLESS:
            continue
        asked.append(f"{operation.method.upper()} {operation.path}")
        heavy = operation.path.startswith(HEAVY)

        @settings(
            max_examples=3 if heavy else EXAMPLES,
            deadline=None,
            database=None,
            derandomize=not FUZZ,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy())
        def check(case: Any) -> None:
            case.call_and_validate(headers=token, checks=CHECKS, timeout=60)

        check()
    assert len(asked) > 20
    problems = [line for line in daemon.errors.read_text().splitlines() if "Traceback" in line]
    assert not problems


def test_without_a_token_nothing_is_told(daemon: Served) -> None:
    schema = schemathesis.openapi.from_dict(daemon.entered("eva", "admin").get("/v1/openapi.json").json)
    from visiting import Visitor

    nobody = Visitor(daemon.address, accept="*/*")
    for found in schema.get_all_operations():
        operation = found.ok()
        path = operation.path.replace("{name}", "abcd")
        answer = nobody.ask(operation.method.upper(), path, b"{}", {"content-type": "application/json"})
        assert answer.status == (200 if path == "/healthz" else 401), path
