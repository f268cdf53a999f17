"""Where an address is: what a MaxMind database says of it, and its name in DNS.

Neither is asked unless a person says so.  A database is a local file (GeoLite2-City.mmdb, GeoLite2-ASN.mmdb
...); DNS is a question to the resolver of this host, given up after a few seconds.
Sources: MaxMind DB File Format 2.0; gethostbyaddr(3).
"""

from __future__ import annotations

import socket
import threading
from pathlib import Path
from typing import Any, Final

from mailscope.vocabulary.errors import InputError

DNS_TIMEOUT_S: Final = 5.0
INSTALL: Final = "install it: pip install 'mailscope[geoip]'"


def located(addresses: list[str], file: Path) -> dict[str, dict[str, Any]]:
    """Country, city, autonomous system of addresses, as far as the database knows them.

    Raises InputError where the file or what reads it is missing.
    """
    try:
        import maxminddb
    except ImportError as error:
        raise InputError("maxminddb, which reads such files, is not installed", str(file), INSTALL) from error
    try:
        with maxminddb.open_database(str(file)) as database:
            found = {address: database.get(address) for address in addresses}
    except OSError as error:
        raise InputError.from_os_error(error, file) from error
    except (maxminddb.InvalidDatabaseError, ValueError) as error:
        raise InputError(
            f"it is no MaxMind database, or not whole ({error})", str(file), "get it anew"
        ) from error
    return {address: _place(entry) for address, entry in found.items() if isinstance(entry, dict)}


def _place(entry: dict[str, Any]) -> dict[str, Any]:
    country = entry.get("country") or entry.get("registered_country") or {}
    told = {
        "country": country.get("iso_code"),
        "country_name": (country.get("names") or {}).get("en"),
        "city": ((entry.get("city") or {}).get("names") or {}).get("en"),
        "asn": entry.get("autonomous_system_number"),
        "organisation": entry.get("autonomous_system_organization"),
    }
    return {name: value for name, value in told.items() if value is not None}


def reverse_name(address: str, timeout_s: float = DNS_TIMEOUT_S) -> str | None:
    """The name of an address; None where it has none, or nobody answers in time."""
    answer: list[str] = []

    def ask() -> None:
        try:
            answer.append(socket.gethostbyaddr(address)[0])
        except OSError:
            return

    # The library's own time limit may be half a minute; a thread that is left waiting ends with the program.
    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(timeout_s)
    return answer[0] if answer else None
