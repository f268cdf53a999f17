"""Which country an address is in: from a table that the administrator gives, never asked over the network.

A CSV file of ``network,country`` (such as "192.0.2.0/24,IT"; a heading is left out, of nested networks the
smallest counts), or a MaxMind database (MaxMind DB File Format 2.0; GeoLite2-Country, -City and others).
"""

from __future__ import annotations

import csv
from collections.abc import Callable
from functools import lru_cache
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any, Final

from mailscope.vocabulary.errors import InputError

MAXMIND: Final = ".mmdb"
INSTALL: Final = "install it: pip install 'mailscope[geoip]'"
# A heading of the first line is no mistake.
HEADINGS: Final = ("network", "cidr", "prefix", "range")
BITS: Final = {4: 32, 6: 128}

Countries = Callable[[str], str | None]


def countries(path: str) -> Countries:
    """What tells the country of an address (or of a network's first address); None where it is not known.

    Raises InputError where the file cannot be read or used.
    """
    found = _maxmind(Path(path)) if path.endswith(MAXMIND) else _table(Path(path))
    return lru_cache(maxsize=65_536)(lambda address: found(address.partition("/")[0]))


def _table(path: Path) -> Countries:
    # By version and length of the prefix: the networks of that length, as numbers.
    known: dict[tuple[int, int], dict[int, str]] = {}
    names: dict[str, str] = {}
    try:
        with path.open(encoding="utf-8", newline="") as file:
            for number, row in enumerate(csv.reader(file), 1):
                if not row or row[0].startswith("#") or (number == 1 and row[0].lower() in HEADINGS):
                    continue
                try:
                    network = ip_network(row[0].strip())
                    country = row[1].strip()
                except (ValueError, IndexError):
                    where = f"{path}:{number}"
                    raise InputError("it is no network and country", where, "write 192.0.2.0/24,IT") from None
                shift = network.max_prefixlen - network.prefixlen
                of_length = known.setdefault((network.version, network.prefixlen), {})
                of_length[int(network.network_address) >> shift] = names.setdefault(country, country)
    except OSError as error:
        raise InputError.from_os_error(error, path) from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError("it is no table in UTF-8", str(path), "write 192.0.2.0/24,IT") from error
    lengths = {
        version: sorted((length for each, length in known if each == version), reverse=True)
        for version in BITS
    }

    def look_up(address: str) -> str | None:
        try:
            found = ip_address(address)
        except ValueError:
            return None
        found = getattr(found, "ipv4_mapped", None) or found
        for length in lengths[found.version]:
            country = known[found.version, length].get(int(found) >> (BITS[found.version] - length))
            if country is not None:
                return country or None
        return None

    return look_up


def _maxmind(path: Path) -> Countries:
    try:
        import maxminddb
    except ImportError as error:
        raise InputError("maxminddb, which reads such files, is not installed", str(path), INSTALL) from error
    try:
        database = maxminddb.open_database(str(path))
    except OSError as error:
        raise InputError.from_os_error(error, path) from error
    except (maxminddb.InvalidDatabaseError, ValueError) as error:
        raise InputError(
            f"it is no MaxMind database, or not whole ({error})", str(path), "get it anew"
        ) from error

    def look_up(address: str) -> str | None:
        try:
            entry: Any = database.get(address)
        except (ValueError, maxminddb.InvalidDatabaseError):
            return None
        if not isinstance(entry, dict):
            return None
        country = entry.get("country") or entry.get("registered_country") or {}
        told = country.get("iso_code")
        return str(told) if told else None

    return look_up
