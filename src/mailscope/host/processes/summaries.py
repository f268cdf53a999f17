"""savacct and usracct: what commands and users cost, as GNU acct keeps it on 64-bit machines.

    struct savacct (96 bytes)   char comm[16]; short fork_flag; 6 bytes of padding; u64 calls; 8 doubles
    struct usracct (104 bytes)  char name[32]; u64 calls; 8 doubles

The doubles are the sums of usage.py.  GNU leaves the padding as it finds it; here it is zero.  Little-endian,
as x86-64 and aarch64 are.

Source: sa.c of GNU acct 6.6.4.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from mailscope.host.hashtable import Table
from mailscope.host.processes.usage import COMMAND_BYTES, USER_BYTES, Cost, Ledger, is_forked, key_of
from mailscope.vocabulary.errors import InputError

COMMAND: Final = struct.Struct("<16sh6xQ8d")
USER: Final = struct.Struct("<32sQ8d")


def read_commands(path: Path) -> Iterator[tuple[bytes, Cost]]:
    """Keys and costs of a savacct file.  Raises InputError for what is none."""
    for name, forked, calls, *sums in _records(path, COMMAND):
        yield key_of(name.partition(b"\0")[0], bool(forked)), Cost(calls, tuple(sums))


def read_users(path: Path) -> Iterator[tuple[bytes, Cost]]:
    """Names and costs of a usracct file.  Raises InputError for what is none."""
    for name, calls, *sums in _records(path, USER):
        yield name.partition(b"\0")[0], Cost(calls, tuple(sums))


def commands_bytes(ledger: Ledger) -> bytes:
    """A savacct file, its records in the order in which GNU would write them."""
    return b"".join(
        COMMAND.pack(key[:COMMAND_BYTES], is_forked(key), cost.calls, *cost.sums)
        for key, cost in in_order((key.ljust(COMMAND_BYTES + 2, b"\0"), cost) for key, cost in ledger.costs())
    )


def users_bytes(ledger: Ledger) -> bytes:
    """A usracct file, its records in the order in which GNU would write them."""
    return b"".join(
        USER.pack(name[:USER_BYTES], cost.calls, *cost.sums) for name, cost in in_order(ledger.costs())
    )


def in_order(costs: Iterable[tuple[bytes, Cost]]) -> Iterator[tuple[bytes, Cost]]:
    """Keys in the order of GNU's hash table."""
    table: Table[Cost] = Table()
    for key, cost in costs:
        table.put(key, cost)
    return table.items()


def _records(path: Path, form: struct.Struct) -> Iterator[tuple[Any, ...]]:
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return
    except OSError as error:
        raise InputError.from_os_error(error, path) from error
    if len(data) % form.size:
        raise InputError(
            f"its size is no multiple of {form.size} bytes",
            str(path),
            "it is of another machine's kind, or damaged",
        )
    yield from form.iter_unpack(data)
