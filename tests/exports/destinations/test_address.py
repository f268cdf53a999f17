"""URLs of servers, and options that do not go together."""

from __future__ import annotations

from pathlib import Path

import pytest
from exporting import events

from mailscope.exports.destinations.address import SCHEMES, parse
from mailscope.exports.forms import BY_NAME
from mailscope.vocabulary.errors import UsageError


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("gelf+udp://log.example.org", "gelf+udp://log.example.org:12201"),
        ("gelf+tcp://192.0.2.1:1", "gelf+tcp://192.0.2.1:1"),
        ("gelf+udp://[2001:db8::1]", "gelf+udp://[2001:db8::1]:12201"),
        ("elasticsearch+http://h/mail", "elasticsearch+http://h:9200/mail"),
        ("opensearch+https://h:443/es/logs-mail-default/", "opensearch+https://h:443/es/logs-mail-default"),
        ("otlp+https://h", "otlp+https://h:4318"),
    ],
)
def test_addresses(url: str, told: str) -> None:
    assert str(parse(url)) == told


@pytest.mark.parametrize(
    ("url", "what"),
    [
        ("http://h:9200/mail", "unknown kind of server 'http'"),
        ("mail.log", "unknown kind of server ''"),
        ("gelf+udp://", "no host"),
        ("gelf+udp://h h", "no host"),
        ("gelf+udp://h\x1b", "no host"),
        ("gelf+udp://h:99999", "Port"),
        ("gelf+udp://h/x", "no path"),
        ("elasticsearch+http://h", "no index"),
        ("elasticsearch+http://h/_bulk", "no index"),
        ("elasticsearch+http://h/Mail", "no index"),
        ("elasticsearch+http://h/a%2Fb", "no index"),
        ("elasticsearch+http://h/..", "no index"),
        ("elasticsearch+http://h/mail?x=1", "nothing may follow"),
        ("elasticsearch+http://h/ma il", "characters"),
        ("otlp+http://h/a\r\nX: y", "characters"),
        ("otlp+http://user:secret@h", "seen by everybody"),
    ],
)
def test_wrong_addresses_are_refused_in_one_line(url: str, what: str) -> None:
    with pytest.raises(UsageError, match=what) as error:
        parse(url)
    assert "\n" not in str(error.value)
    assert "secret" not in str(error.value)


def test_every_scheme_takes_a_form_that_there_is() -> None:
    assert {form for form, _ in SCHEMES.values()} <= BY_NAME.keys()


@pytest.mark.parametrize(
    "options",
    [
        ("--to", "gelf+udp://127.0.0.1:9", "-o", "x.jsonl"),
        ("--to", "gelf+udp://127.0.0.1:9", "--format", "ecs"),
        ("--to", "gelf+udp://127.0.0.1:9", "--credentials", "x"),
        ("--to", "otlp+http://127.0.0.1:9", "--ca-file", "x"),
        ("--credentials", "x"),
        ("--ca-file", "x"),
    ],
)
def test_options_that_do_not_go_together(log: Path, options: tuple[str, ...]) -> None:
    result = events(log, *options)
    assert isinstance(result.exception, UsageError)
    assert result.stdout == ""
