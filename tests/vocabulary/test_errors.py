"""The error tree: one clear line, the right exit code, and all parts kept."""

from __future__ import annotations

import errno
import os
import pickle
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailscope.vocabulary.errors import InputError, MailscopeError, PatternError, UsageError


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (MailscopeError("it failed"), "it failed"),
        (MailscopeError("it failed", "there"), "there: it failed"),
        (MailscopeError("it failed", "there", "try again"), "there: it failed; try again"),
        (MailscopeError("it failed", what_to_do="try again"), "it failed; try again"),
        (UsageError("no such time 'x'", "--since", "say today"), "--since: no such time 'x'; say today"),
        (PatternError("a.toml", 3, "no example", "add one"), "a.toml, event 3: no example; add one"),
        (PatternError(Path("a.toml"), None, "not TOML"), "a.toml: not TOML"),
    ],
)
def test_str_gives_where_what_and_what_to_do(error: MailscopeError, line: str) -> None:
    assert str(error) == line


@pytest.mark.parametrize(
    ("kind", "exit_code"), [(MailscopeError, 1), (InputError, 1), (UsageError, 2), (PatternError, 1)]
)
def test_exit_codes(kind: type[MailscopeError], exit_code: int) -> None:
    assert kind.exit_code == exit_code
    assert issubclass(kind, MailscopeError)


def test_a_line_break_in_a_file_name_does_not_break_the_line() -> None:
    assert str(InputError("gone", "a\nb\x1b[2J")) == "a\\nb\\x1b[2J: gone"


@given(st.text(st.characters()), st.text(st.characters()), st.text(st.characters()))
def test_str_is_always_one_printable_line(what: str, where: str, what_to_do: str) -> None:
    line = str(MailscopeError(what, where, what_to_do))
    assert line.isprintable()
    assert len(line.splitlines()) <= 1


def test_a_missing_file_is_said_in_plain_words(tmp_path: Path) -> None:
    missing = tmp_path / "mail.log"
    with pytest.raises(FileNotFoundError) as caught:
        missing.read_bytes()
    error = InputError.from_os_error(caught.value, missing)
    assert (error.what, error.where) == ("no such file", str(missing))
    assert error.what_to_do


def test_permission_gives_advice() -> None:
    error = InputError.from_os_error(PermissionError(errno.EACCES, "Permission denied"), "/var/log/mail.log")
    assert str(error).startswith("/var/log/mail.log: no permission to read it; run as root")


def test_a_rare_reason_is_given_in_the_systems_own_words() -> None:
    error = InputError.from_os_error(OSError(errno.EMFILE, os.strerror(errno.EMFILE)), "x")
    assert str(error) == f"x: {os.strerror(errno.EMFILE)}"
    assert InputError.from_os_error(OSError("strange"), "x").what == "strange"


@pytest.mark.parametrize(
    "error",
    [UsageError("what", "where", "do"), PatternError("a.toml", 2, "what", "do"), InputError("what")],
)
def test_errors_survive_the_way_from_a_worker_process(error: MailscopeError) -> None:
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    assert str(again) == str(error)
    assert vars(again) == vars(error)
    assert vars(type(error)(*error.args)) == vars(error)
