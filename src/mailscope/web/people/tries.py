"""How often logging in may fail: so many times an account, and an address, in a quarter of an hour.

The limit of an account is higher than that of an address, so that one address cannot lock somebody out; and
who has a session from the same address is not held up by what others try.
"""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from typing import Final

from mailscope.web.people.book import Book

WINDOW_S: Final = 900
OF_ADDRESS, OF_ACCOUNT = 10, 30


def wait_s(book: Book, account: str, address: str) -> int:
    """For how long nobody may try; 0: one may."""
    since = book.now - WINDOW_S
    here = book.row("select 1 from sessions where account = ? and address = ?", account, address)
    return max(
        _until_fewer(book, "address", _network(address), since, OF_ADDRESS),
        0 if here else _until_fewer(book, "account", account, since, OF_ACCOUNT),
    )


def begun(book: Book, account: str, address: str) -> None:
    """Note that it is tried: it counts as failed until it has succeeded, so that many at once are many."""
    with book.change():
        book.run("delete from failures where at <= ?", book.now - WINDOW_S)
        book.run("insert into failures values (?, ?, ?)", book.now, account[:64], _network(address))


def succeeded(book: Book, account: str, address: str) -> None:
    """Who got in may mistype again."""
    book.run("delete from failures where account = ? and address = ?", account, _network(address))


def _until_fewer(book: Book, column: str, value: str, since: int, most: int) -> int:
    # Those of the newest that count together: when the first of them is old enough, one may try again.
    rows = book.rows(
        f"select at from failures where {column} = ? and at > ? order by at desc limit ?", value, since, most
    )
    return 0 if len(rows) < most else max(1, rows[-1]["at"] - since)


def _network(address: str) -> str:
    """Of IPv6 the /64: whoever has one address there has all of them."""
    try:
        found = ip_address(address)
    except ValueError:
        return address[:64]
    return str(ip_network(f"{found}/64", strict=False)) if found.version == 6 else str(found)
