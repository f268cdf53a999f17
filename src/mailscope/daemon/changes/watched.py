"""Which files make up the mail system's configuration.

In: a host's files.  Out: paths, each with how it is read.  Sources: postconf(5), DATABASE_README (which kinds
of table are made from a text file beside them), Dovecot's manual (!include, !include_try), qmail-control(5).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from mailscope.intake.discovery.files import HostFiles
from mailscope.intake.discovery.main_cf import MainCf

# credentials: what stands behind a name in each line is a password; secret: every line is one.
Form = Literal["settings", "table", "credentials", "secret"]

POSTFIX: Final = ("/etc/postfix", "/usr/local/etc/postfix", "/usr/pkg/etc/postfix", "/opt/pkg/etc/postfix")
DOVECOT: Final = ("/etc/dovecot/dovecot.conf", "/usr/local/etc/dovecot/dovecot.conf", "/etc/dovecot.conf")
QMAIL: Final = ("/var/qmail/control/*", "/var/indimail/control/*", "/etc/indimail/control/*")
# Parameters whose value may name a file instead of a table or a list.
_LISTS: Final = re.compile(
    r"my(?:networks|destination|origin)$|relay_domains$|.*_domains$|.*_networks$|proxy_interfaces$|.*_peer_list$|"
    r"authorized_.*_users$|.*_exceptions$|local_header_rewrite_clients$"
)
_FILE: Final = re.compile(r"(?:^|[\s,])!?(/[^\s,;{}]+)")
# Where main.cf does not say otherwise, Postfix reads this.
ALIASES: Final = "/etc/aliases"
# So many files an included configuration of Dovecot may have.
MOST_INCLUDED: Final = 2_000
_TABLE: Final = re.compile(
    r"\b(?:proxy:)?(?P<kind>hash|btree|lmdb|cdb|dbm|sdbm|texthash|regexp|pcre|cidr|ldap|mysql|pgsql|sqlite|memcache|"
    r"mongodb|fail):(?P<path>/[^\s,;{}]+)"
)
_INCLUDE: Final = re.compile(r"^\s*!include(?:_try)?\s+(\S+)", re.MULTILINE)
_ARGUMENT: Final = re.compile(
    r"^\s*(?:args|ldap_config|sql_config)\s*=\s*.*?(/\S+\.(?:ext|conf))\s*$", re.MULTILINE
)
_SECRET_NAME: Final = re.compile(
    r"pass|secret|credential|sasl.*auth|auth.*(?:map|table)|token", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Watched:
    """A file, and how its lines look."""

    path: Path
    form: Form


def watched(host: HostFiles) -> tuple[Watched, ...]:
    """The files, each once; those that are not there are left out."""
    found: dict[Path, Watched] = {}
    for each in (*_postfix(host), *_dovecot(host), *_qmail(host)):
        if each.path.is_file():
            found.setdefault(each.path, each)
    return tuple(found.values())


def named(host: HostFiles, patterns: tuple[str, ...]) -> tuple[Watched, ...]:
    """Files that an administrator names, with ``*`` and the like."""
    paths = dict.fromkeys(path for pattern in patterns for path in host.glob(pattern) if path.is_file())
    return tuple(Watched(path, form_of(path)) for path in paths)


def form_of(path: Path) -> Form:
    """How a file is read that only its name tells of."""
    return "secret" if _SECRET_NAME.search(path.name) else "settings"


def _postfix(host: HostFiles) -> Iterator[Watched]:
    waiting, seen = list(POSTFIX), set[str]()
    while waiting:
        directory = waiting.pop(0).rstrip("/")
        if directory in seen:
            continue
        seen.add(directory)
        main, master = host.path(f"{directory}/main.cf"), host.path(f"{directory}/master.cf")
        text = host.read(main, "Postfix")
        if text is None:
            continue
        yield Watched(main, "settings")
        yield Watched(master, "settings")
        main_cf = MainCf(text)
        more = main_cf.value("multi_instance_directories") or ""
        waiting += [name for name in re.split(r"[\s,]+", more) if name.startswith("/")]
        for name in main_cf.raw:
            yield from _tables(host, name, _expanded(main_cf, name, directory))
        if "alias_maps" not in main_cf.raw:
            yield Watched(host.path(ALIASES), "table")
        yield from _tables(host, "master.cf", host.read(master, "Postfix") or "")


def _expanded(main_cf: MainCf, name: str, directory: str) -> str:
    """A parameter's value; where Postfix' own defaults are missing here, the usual ones are put in."""
    value = main_cf.value(name)
    if value is not None:
        return value
    return re.sub(r"\$\{?(?:config_directory|meta_directory)\}?", directory, main_cf.raw[name])


def _tables(host: HostFiles, parameter: str, value: str) -> Iterator[Watched]:
    for found in _TABLE.finditer(value):
        path = host.path(found["path"])
        if found["kind"] in ("ldap", "mysql", "pgsql", "sqlite", "memcache", "mongodb"):
            yield Watched(path, "settings")
        elif _SECRET_NAME.search(parameter) or _SECRET_NAME.search(path.name):
            yield Watched(path, "credentials")
        else:
            yield Watched(path, "table")
    if _LISTS.match(parameter):
        for found in _FILE.finditer(value):
            yield Watched(host.path(found[1]), "table")


def _dovecot(host: HostFiles) -> Iterator[Watched]:
    waiting, seen = [host.path(name) for name in DOVECOT], set[Path]()
    while waiting and len(seen) < MOST_INCLUDED:
        path = waiting.pop(0)
        if path in seen:
            continue
        seen.add(path)
        text = host.read(path, "Dovecot")
        if text is None:
            continue
        yield Watched(path, "settings")
        for found in (*_INCLUDE.finditer(text), *_ARGUMENT.finditer(text)):
            name = found[1]
            where = name if name.startswith("/") else f"{host.shown(path.parent)}/{name}"
            waiting += host.glob(where)


def _qmail(host: HostFiles) -> Iterator[Watched]:
    for pattern in QMAIL:
        for path in host.glob(pattern):
            # Routes may have a user and a password behind the host.
            routes = path.name in ("smtproutes", "qmtproutes", "authsenders")
            form = form_of(path)
            yield Watched(path, "credentials" if routes else "table" if form == "settings" else form)
