"""How a check is run: asked of the daemon or of the store, judged, printed, within its time.

Whatever happens ends with one of the four exit codes of plugins.  Nothing heavy is imported while the daemon
measures.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NoReturn

from mailscope.vocabulary.errors import InputError, MailscopeError
from mailscope.vocabulary.settings.places import FILE, SOCKET
from mailscope.watch.checks.check import Check, Question
from mailscope.watch.checks.plugin import Measured, Outcome, State, judged, unknown
from mailscope.watch.checks.ranges import Range

CONFIG = "MAILSCOPE_CONFIG"


@dataclass(frozen=True)
class How:
    """Options that all checks share."""

    warning: Range | None
    critical: Range | None
    timeout_s: float
    verbose: int
    store: Path | None
    config: Path | None


class NobodyError(InputError):
    """Nobody answers on the daemon's socket."""


def run(check: Check, asked: Question, how: How) -> NoReturn:
    """Print what a check finds, and end with its state."""
    with _Limited(check.service, how.timeout_s):
        outcome = _outcome(check, asked, how)
    ended(outcome, details=how.verbose > 0 or outcome.state is not State.OK)


def ended(outcome: Outcome, *, details: bool = True) -> NoReturn:
    """Print an outcome and end with its state."""
    text = outcome.text if details else outcome.text.partition("\n")[0]
    sys.stdout.buffer.write(text.encode("utf-8", "backslashreplace") + b"\n")
    sys.stdout.flush()
    sys.exit(int(outcome.state))


def _outcome(check: Check, asked: Question, how: How) -> Outcome:
    try:
        found = _measured(check, asdict(asked), how)
        return judged(check.service, found, how.warning, how.critical)
    except NobodyError as error:
        state = State.CRITICAL if check.name == "daemon" else State.UNKNOWN
        return Outcome(check.service, state, str(error))
    except MailscopeError as error:
        return unknown(check.service, str(error))
    except Exception as error:
        # A plugin that ends with a traceback would be a warning.
        return unknown(check.service, f"{type(error).__name__}: {error}")


def _measured(check: Check, options: Mapping[str, Any], how: How) -> Measured:
    if how.store is None:
        path = socket_path(how.config)
        try:
            return asked_daemon(path, check.name, options, how.timeout_s)
        except NobodyError:
            if check.name == "daemon":
                raise
    return _in_store(check, options, how)


def _in_store(check: Check, options: Mapping[str, Any], how: How) -> Measured:
    from mailscope.cli.stores import exists, settings
    from mailscope.store.refusals import InUseError
    from mailscope.watch.checks.answering import in_directory

    place = how.store or Path(settings(how.config).store.directory)
    if not exists(place):
        raise InputError("there is no store, and no daemon answers", str(place), "start 'mailscope serve'")
    try:
        return in_directory(place, check.name, options)
    except InUseError as refused:
        try:
            return asked_daemon(socket_path(how.config), check.name, options, how.timeout_s)
        except NobodyError:
            raise refused from None


def asked_daemon(path: Path, name: str, options: Mapping[str, Any], timeout_s: float) -> Measured:
    """What the daemon measures.  Raises NobodyError where none answers, MailscopeError where it refuses."""
    from http.client import HTTPException

    from mailscope.store.calling import Connection

    connection = Connection(path, timeout_s)
    try:
        connection.connect()
    except PermissionError as error:
        advice = "run it as the daemon's user: see docs/checks.md"
        raise InputError("no permission to ask the daemon", str(path), advice) from error
    except OSError as error:
        what = f"the daemon does not answer ({error.strerror or error})"
        raise NobodyError(what, str(path), "see 'systemctl status mailscope'") from error
    try:
        connection.request(
            "POST", f"/v1/checks/{name}", json.dumps(options), {"Content-Type": "application/json"}
        )
        answer = connection.getresponse()
        body, status = answer.read(), answer.status
    except (OSError, HTTPException) as error:
        raise InputError(f"the daemon broke off ({error})", str(path), "ask again") from error
    finally:
        connection.close()
    if status >= 400:
        raise _refused(body, status)
    return Measured.of(json.loads(body))


def _refused(body: bytes, status: int) -> MailscopeError:
    try:
        told = json.loads(body)
        return MailscopeError(told["what"], told["where"], told["what_to_do"])
    except (ValueError, KeyError, TypeError):
        return MailscopeError(f"the daemon answered {status}", "", "is it of the same version? see its log")


def socket_path(config: Path | None) -> Path:
    """The daemon's socket, as the settings name it; read without checking the rest of them."""
    named = config or os.environ.get(CONFIG)
    try:
        with open(named or FILE, "rb") as file:
            content = file.read()
    except FileNotFoundError as error:
        if named:
            raise InputError.from_os_error(error, named) from error
        return Path(SOCKET)
    except OSError as error:
        raise InputError.from_os_error(error, named or FILE) from error
    if b"socket" not in content:
        return Path(SOCKET)
    import tomllib

    try:
        found = tomllib.loads(content.decode()).get("api", {}).get("socket", SOCKET)
        return Path(found)
    except (ValueError, AttributeError, TypeError):
        from mailscope.cli.stores import settings

        # It says where the mistake is.
        return Path(settings(Path(named or FILE)).api.socket)


class _Limited:
    """Ends the process where a block takes too long: by a thread, as C code holds signals back."""

    def __init__(self, service: str, timeout_s: float, leave: Callable[[int], Any] = os._exit) -> None:
        self._words = unknown(service, f"no answer within {timeout_s:g} s").text
        self._leave = leave
        self._timer = threading.Timer(timeout_s, self._late)
        self._timer.daemon = True

    def _late(self) -> None:
        os.write(1, self._words.encode() + b"\n")
        self._leave(int(State.UNKNOWN))

    def __enter__(self) -> None:
        self._timer.start()

    def __exit__(self, *error: object) -> None:
        self._timer.cancel()
