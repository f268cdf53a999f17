"""One person's addresses and login names, found in any spelling and encoding, and what is put in their place.

    bob@example.org   also in capitals, quoted, as bob%40example.org (URLs), bob+40example.org (xtext),
                      bob=40example.org (RFC 2045), with \\u0040 (JSON), bob=example.org@... (VERP) and
                      example.org=bob@... (SRS); the domain also in its other form (RFC 5890)
    bob               a login name: where it is all that a field holds, and as a word in that field's line

The local part is replaced, the domain stays: ``jimbob@example.org``, ``bob@example.org.uk`` and, of a login
name, ``bob@example.net`` are others'.  Qmail writes ``_`` for a blank, which an address may begin with: it is
taken for a blank where the words around it are qmail's.

Lines that name the person are looked at one by one in Python; they are few.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from string import ascii_lowercase
from typing import Final

import polars as pl

from mailscope.privacy.kept import ROLES, WORDS
from mailscope.privacy.matches import mapped
from mailscope.vocabulary.columns import take
from mailscope.vocabulary.errors import UsageError
from mailscope.vocabulary.fields import FIELDS

PREFIX: Final = "erased"
LETTERS: Final = 12
LONGEST: Final = 320
# Columns that may hold a name alone.
NAMED: Final[frozenset[str]] = frozenset(
    {each.name for each in FIELDS if each.privacy == "address"} | {"author", "tried"}
)
_AT: Final = r"(?:@|[%+=]40|\\u0040|\\x40|\\100|&#64;|&#x40;)"
_EQUAL: Final = r"(?:=|[%+=]3D|\\u003d|\\x3d)"
# A character of a local part or domain: what stands before or behind it is of the same address.  No domain
# ends like the name of a file.
_BEFORE: Final = re.compile(r"[\w.+-]")
_BEHIND: Final = re.compile(r"[^\W_]|-[^\W_]|\.(?!(?:log|gz|bz2|xz|zst|txt|json|mbox|[0-9]+)\b)[^\W_]")
# An encoded blank, quote, bracket, comma, slash, colon, equal sign ...: what is behind it begins anew.
_ENCODED: Final = re.compile(
    r"(?:[%+=]|\\u00|\\x)(?:0[9AD]|2[0267-9CF]|3[A-F]|5B|5D|7C)$|\\[nrt]$|&(?:lt|gt|quot|amp);$",
    re.IGNORECASE,
)
# qmail's words before an address: a reply code, or a blank behind a sign.
_QMAIL: Final = re.compile(
    r"(?:^|[\s,:;.(])_(?:\S*_)?$|(?:^|[\s_:])[245](?:[0-9]{2}|\.[0-9]{1,3}\.[0-9]{1,3})_(?:\S*_)?$"
)


@dataclass(frozen=True)
class Person:
    """A person by ``addresses`` (local part, domain) and ``logins``, all in small letters.

    ``pseudonyms``: what stands for each local part and login; random, so that nothing leads back from it.
    """

    addresses: tuple[tuple[str, str], ...]
    logins: frozenset[str]
    pseudonyms: dict[str, str]

    @classmethod
    def of(cls, names: Iterable[str]) -> Person:
        """The person that has all these names.  Raises UsageError for what is nobody's name."""
        addresses: dict[tuple[str, str], None] = {}
        logins: set[str] = set()
        for name in names:
            bare = name.strip().removeprefix("<").removesuffix(">").lower()
            local, at, domain = bare.rpartition("@")
            local, domain = (local.strip('"'), domain.rstrip(".")) if at else (bare, "")
            if not local or (at and not domain) or len(bare) > LONGEST or re.search(r"[\s\x00-\x1f<>]", bare):
                raise UsageError(
                    "it is no address and no login name", name, "such as bob@example.org, or bob"
                )
            if not at and local in ROLES:
                raise UsageError("it is a role's name, not a person's", name, "give the whole address")
            if at:
                addresses[local, domain] = None
            else:
                logins.add(local)
        known = dict.fromkeys([*(local for local, _ in addresses), *sorted(logins)])
        return cls(tuple(addresses), frozenset(logins), {name: _random() for name in known})

    @property
    def names(self) -> tuple[str, ...]:
        """All names, as they were given, in small letters."""
        return (*(f"{local}@{domain}" for local, domain in self.addresses), *sorted(self.logins))

    @cached_property
    def locals(self) -> frozenset[str]:
        """The local parts that can be told from others' words when they stand alone."""
        return frozenset(local for local, _ in self.addresses if len(local) > 1 and local not in ROLES)

    @cached_property
    def regex(self) -> str:
        """What any spelling of an address matches (and some that belong to others do)."""
        forms = []
        for number, (local, domain) in enumerate(self.addresses):
            name, place = _spelled(local), "|".join(map(_spelled, _forms(domain)))
            forms += [
                rf'"?(?P<a{number}>{name})"?{_AT}(?:{place})',
                rf"(?P<b{number}>{name}){_EQUAL}(?:{place}){_AT}",
                rf"(?:{place}){_EQUAL}(?P<c{number}>{name}){_AT}",
            ]
        return "(?i)" + "|".join(forms)

    @cached_property
    def _compiled(self) -> re.Pattern[str]:
        return re.compile(self.regex)

    def texts(self, column: pl.Series) -> pl.Series:
        """Texts with what stands for the person's addresses in their place."""
        if not self.addresses or column.null_count() == len(column):
            return column
        rows = column.str.contains(self.regex).fill_null(False).arg_true()
        if not len(rows):
            return column
        return column.clone().scatter(rows, mapped(take(column, rows), self.text))

    def text(self, value: str) -> str:
        """The same for one text."""
        return self._compiled.sub(self._put, value) if self.addresses else value

    def _put(self, found: re.Match[str]) -> str:
        text, begin, end = found.string, found.start(), found.end()
        group = str(found.lastgroup)
        turned = group[0]
        if _BEFORE.match(text[begin - 1 : begin]) and not self._apart(text, begin, end, verp=turned == "b"):
            return found[0]
        if turned == "a" and _BEHIND.match(text, end):
            return found[0]
        start, stop = found.span(group)
        return f"{text[begin:start]}{self.instead(found[group])}{text[stop:end]}"

    def _apart(self, text: str, begin: int, end: int, *, verp: bool) -> bool:
        """Whether the character before an address, which could be of it, is not."""
        before = text[max(0, begin - 200) : begin]
        if _ENCODED.search(before) or (verp and before[-1] in "+-"):
            return True
        return before[-1] == "_" and (text[end : end + 1] == "_" or bool(_QMAIL.search(before)))

    def instead(self, name: str) -> str:
        """What stands for a local part or login, in its kind of letters."""
        pseudonym = self.pseudonyms.get(name.lower())
        if pseudonym is None:
            # Written in another way, so that it is found out which one it is.
            pseudonym = next(
                new for old, new in self.pseudonyms.items() if re.fullmatch(f"(?i){_spelled(old)}", name)
            )
        if name == name.lower():
            return pseudonym
        return pseudonym.upper() if name == name.upper() else pseudonym.capitalize()

    def alone(self, column: pl.Series, names: Collection[str]) -> pl.Series:
        """Which texts are one of some names, and nothing else."""
        return column.str.to_lowercase().is_in(list(names)).fill_null(False)

    def renamed(self, column: pl.Series, names: Collection[str]) -> pl.Series:
        """Texts that are one of some names replaced by what stands for it."""
        rows = self.alone(column, names).arg_true()
        return column.clone().scatter(rows, mapped(take(column, rows), self.instead)) if len(rows) else column

    def words(self, column: pl.Series, names: Collection[str]) -> pl.Series:
        """Texts with some names replaced where they are words."""
        return mapped(column, lambda text: self.worded(text, names)) if names else column

    def worded(self, text: str, names: Collection[str]) -> str:
        """The same for one text.  A name that is a usual word is one only where signs set it apart."""
        for name in names:
            before = r"(?<=[=<\"'/])" if name in WORDS else r"(?<![\w.+@-])"
            text = re.sub(
                rf"(?i){before}{re.escape(name)}(?![\w@+-]|\.\w|%40|{_EQUAL}[^\W_])",
                lambda found: self.instead(found[0]),
                text,
            )
        return text

    def named(self, rows: pl.DataFrame) -> tuple[pl.Series, pl.Series]:
        """Which rows name one of the person's addresses, and in which a name stands alone in a field."""
        named, alone = (pl.repeat(False, len(rows), dtype=pl.Boolean, eager=True) for _ in range(2))
        names = self.logins | self.locals
        for column in rows.iter_columns():
            if column.dtype == pl.String and column.null_count() < len(column):
                new = self.texts(column)
                named = named if new is column else named | column.ne_missing(new)
                if column.name in NAMED and names:
                    alone = alone | self.alone(column, names)
        return named, alone

    def rows(self, rows: pl.DataFrame, theirs: pl.Series | None = None) -> tuple[pl.DataFrame, pl.Series]:
        """Rows of a table with what stands for the person, and which of them were changed.

        ``theirs``: rows that are known to be about the person's mail, where a local part alone is theirs too.
        """
        texts = [column for column in rows.iter_columns() if column.dtype == pl.String]
        new = {column.name: self.texts(column) for column in texts}
        changed = (
            pl.Series([False]).new_from_index(0, len(rows)) if len(rows) else pl.Series([], dtype=pl.Boolean)
        )
        for column in texts:
            if new[column.name] is not column:
                changed = changed | column.ne_missing(new[column.name])
        mine = changed if theirs is None else changed | theirs
        for names, within in ((self.logins, None), (self.locals - self.logins, mine)):
            if names:
                changed = changed | self._names_alone(new, names, within, len(rows))
        return rows.with_columns(new.values()), changed

    def _names_alone(
        self, columns: dict[str, pl.Series], names: Collection[str], within: pl.Series | None, count: int
    ) -> pl.Series:
        """Replace names where they are all that a field holds, and in the other texts of such rows."""
        found = pl.repeat(False, count, eager=True)
        for name in NAMED & columns.keys():
            if columns[name].null_count() < count:
                found = found | self.alone(columns[name], names)
        if within is not None:
            found = found & within
        rows = found.arg_true()
        if len(rows):
            for name, column in columns.items():
                mine = take(column, rows)
                if mine.null_count() < len(mine):
                    mine = self.renamed(mine, names) if name in NAMED else mine
                    columns[name] = column.clone().scatter(rows, self.words(mine, names))
        return found


def _random() -> str:
    return PREFIX + "".join(secrets.choice(ascii_lowercase) for _ in range(LETTERS))


def _forms(domain: str) -> list[str]:
    """A domain as it is and in its other form, with letters of other alphabets or without."""
    found = {domain}
    with suppress(UnicodeError):
        found.add(domain.encode("idna").decode("ascii"))
    with suppress(UnicodeError):
        found.add(domain.encode("ascii").decode("idna"))
    return sorted(found)


def _spelled(text: str) -> str:
    """A regex of a text in which each character may be encoded."""
    return "".join(map(_character, text))


def _character(char: str) -> str:
    forms = [rf"\\*{re.escape(char)}" if char == "." else re.escape(char)]
    for each in sorted({char.lower(), char.upper()}):
        octets = each.encode()
        forms.append("".join(rf"[%+=]{octet:02x}" for octet in octets))
        if len(each) == 1 and ord(each) < 0x10000:
            forms.append(rf"\\u{ord(each):04x}")
        if len(octets) > 1:
            forms.append("".join(rf"\\x?{octet:02x}" for octet in octets))
            forms.append("".join(rf"\\{octet:03o}" for octet in octets))
    return f"(?:{'|'.join(forms)})"
