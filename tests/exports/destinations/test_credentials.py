"""Credentials from files and the environment."""

from __future__ import annotations

from pathlib import Path

import pytest

from mailscope.exports.destinations.credentials import authorization
from mailscope.vocabulary.errors import InputError


@pytest.mark.parametrize(
    ("text", "header"),
    [
        ('api_key = "abc="', "ApiKey abc="),
        ('token = "abc"', "Bearer abc"),
        ('user = "ü"\npassword = "p:w"', "Basic w7w6cDp3"),
    ],
)
def test_a_file(tmp_path: Path, text: str, header: str) -> None:
    path = tmp_path / "secret.toml"
    path.write_text(text, encoding="utf-8")
    assert authorization(path, {"MAILSCOPE_TOKEN": "other"}) == header


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "nothing in it"),
        ("abc", "not TOML"),
        ('key = "abc"', "'key' is not known"),
        ("api_key = 3", "'api_key' is not known or no text"),
        ('user = "a"', "do not go together"),
        ('user = "a"\npassword = "b"\ntoken = "c"', "do not go together"),
        (r'token = "a\r\nX: b"', "characters"),
    ],
)
def test_a_file_that_will_not_do(tmp_path: Path, text: str, what: str) -> None:
    path = tmp_path / "secret.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=what):
        authorization(path, {})


def test_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        authorization(tmp_path / "absent", {})


def test_the_environment() -> None:
    assert authorization(None, {}) is None
    assert authorization(None, {"MAILSCOPE_API_KEY": "x"}) == "ApiKey x"
    with pytest.raises(InputError, match="environment"):
        authorization(None, {"MAILSCOPE_USER": "x"})
