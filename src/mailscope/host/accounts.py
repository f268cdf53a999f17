"""Names and numbers of accounts and groups: those of this host, or of a copied passwd(5) or group(5) file."""

from __future__ import annotations

import grp
import os
import pwd
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from mailscope.vocabulary.errors import InputError


@dataclass(frozen=True, slots=True)
class Account:
    """One line of passwd(5), as far as it matters here."""

    name: bytes
    uid: int


class Accounts:
    """Accounts in the file's order.

    In: paths of a passwd and of a group file; None: those that this host knows.  Raises InputError, when they
    are first looked at, for a file that cannot be read.
    """

    def __init__(self, passwd: Path | None = None, group: Path | None = None) -> None:
        self._passwd, self._group = passwd, group

    @cached_property
    def all(self) -> list[Account]:
        """The accounts."""
        if self._passwd is None:
            return [Account(os.fsencode(entry.pw_name), entry.pw_uid) for entry in pwd.getpwall()]
        return [Account(name, number) for name, number in _read(self._passwd)]

    def uid(self, name: bytes) -> int | None:
        """The number of an account."""
        return self._uids.get(name)

    def has(self, uid: int) -> bool:
        """Whether there is an account of that number."""
        return uid in self._names

    def name(self, uid: int) -> bytes:
        """The name of a number, or the number itself."""
        return self._names.get(uid) or b"%d" % uid

    def group(self, gid: int) -> bytes:
        """The name of a group's number, or the number itself."""
        return self._groups.get(gid) or b"%d" % gid

    @cached_property
    def _uids(self) -> dict[bytes, int]:
        return {account.name: account.uid for account in reversed(self.all)}

    @cached_property
    def _names(self) -> dict[int, bytes]:
        # The first of several accounts with one number counts.
        return {account.uid: account.name for account in reversed(self.all)}

    @cached_property
    def _groups(self) -> dict[int, bytes]:
        if self._group is None:
            return {entry.gr_gid: os.fsencode(entry.gr_name) for entry in reversed(grp.getgrall())}
        return {number: name for name, number in reversed(_read(self._group))}


def _read(path: Path) -> list[tuple[bytes, int]]:
    """Name and number (the third field) of each line; lines without them are no accounts."""
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise InputError.from_os_error(error, path) from error
    out = []
    for line in lines:
        fields = line.split(b":")
        if len(fields) > 2 and fields[0] and fields[2].isdigit():
            out.append((fields[0], int(fields[2])))
    return out
