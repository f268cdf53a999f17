"""Who a person is to a server: read from a file or the environment, never from the command line.

A command line is seen by everybody on the host.  The file is TOML with ``api_key``, or ``token``, or
``user`` and ``password``; the environment has MAILSCOPE_API_KEY, MAILSCOPE_TOKEN, MAILSCOPE_USER and
MAILSCOPE_PASSWORD.
"""

from __future__ import annotations

import base64
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from mailscope.vocabulary.errors import InputError

KEYS: Final = ("api_key", "token", "user", "password")
ADVICE: Final = "give api_key, or token, or user and password"


def authorization(path: Path | None, environment: Mapping[str, str] = os.environ) -> str | None:
    """The Authorization header's value; None where nothing is given.  The file counts before the environment.

    Raises InputError where the file is unreadable or says too little or too much.
    """
    if path is None:
        given = {key: environment.get(f"MAILSCOPE_{key.upper()}", "") for key in KEYS}
        return _header({key: value for key, value in given.items() if value}, "environment")
    try:
        read = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError.from_os_error(error, path) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError("it is not TOML", str(path), 'such as api_key = "..."') from error
    wrong = [key for key, value in read.items() if key not in KEYS or not isinstance(value, str)]
    if wrong:
        raise InputError(f"'{wrong[0]}' is not known or no text", str(path), ADVICE)
    header = _header(read, str(path))
    if header is None:
        raise InputError("there is nothing in it", str(path), ADVICE)
    return header


def _header(given: Mapping[str, str], where: str) -> str | None:
    match sorted(given):
        case []:
            return None
        case ["api_key"]:
            header = f"ApiKey {given['api_key']}"
        case ["token"]:
            header = f"Bearer {given['token']}"
        case ["password", "user"]:
            both = f"{given['user']}:{given['password']}".encode()
            header = f"Basic {base64.b64encode(both).decode()}"
        case names:
            raise InputError(f"{' and '.join(names)} do not go together", where, ADVICE)
    if not header.isascii() or not header.isprintable():
        raise InputError("a key or token has characters that no header may have", where, "copy it again")
    return header
