"""A store behind the daemon's unix socket: the same answers as from ``reader.py``."""

from __future__ import annotations

import http.client
import json
import struct
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, Final, cast
from urllib.parse import quote, urlencode

import polars as pl

from mailscope.store.asking import Asked
from mailscope.store.calling import Connection
from mailscope.store.copies import received
from mailscope.store.holding import Held
from mailscope.store.ingest import Loaded
from mailscope.store.person import from_bytes
from mailscope.store.receipts import Verdict
from mailscope.store.upkeep import Damage, Step
from mailscope.vocabulary.errors import InputError, MailscopeError, OutputError, UsageError

LENGTH: Final = struct.Struct(">Q")
NOT_ALLOWED: Final = "no permission to ask the daemon"


class Remote:
    """A ``Door`` (``asking.py``).  Raises InputError where nobody answers on the socket."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._connection = Connection(path)
        try:
            self._connection.connect()
        except PermissionError as error:
            raise InputError(
                NOT_ALLOWED, str(path), "run as a member of the group that the socket is given to, or as root"
            ) from error
        except OSError as error:
            raise InputError(
                f"the daemon does not answer ({error.strerror or error})", str(path),
                "see 'systemctl status mailscope'",
            ) from error  # fmt: skip

    def lines(self, asked: Asked) -> Iterator[pl.DataFrame]:
        """Lines in the order of each source."""
        yield from self._rows("/v1/lines", asked.record())

    def tallies(self, since: datetime | None, until: datetime | None, *, by_time: bool = False) -> bytes:
        """The tallies of the whole hours of a span."""
        edges = {name: edge.isoformat() for name, edge in (("since", since), ("until", until)) if edge}
        asked = urlencode({**edges, "by_time": str(by_time).lower()})
        return self._asked("GET", f"/v1/tallies?{asked}").read()

    def sql(self, statement: str) -> Iterator[pl.DataFrame]:
        """The rows of a reading statement."""
        yield from self._rows("/v1/sql", {"statement": statement})

    def person(self, names: tuple[str, ...]) -> dict[str, pl.DataFrame]:
        """All that is held of a person."""
        return from_bytes(self._asked("POST", "/v1/person", {"names": list(names)}).read())

    def verdict(self, receipt: dict[str, Any], names: tuple[str, ...]) -> Verdict:
        """Whether a receipt is of this store."""
        question = {"receipt": receipt, "names": list(names)}
        found: Verdict = json.load(self._asked("POST", "/v1/receipt", question))["verdict"]
        return found

    def status(self) -> dict[str, Any]:
        """How the store is."""
        told: dict[str, Any] = json.load(self._asked("GET", "/v1/status"))
        store = told["store"]
        # As the store itself tells them: UTC without saying so.
        for holder in (store, *store["sources"]):
            instants = {name: holder[name] for name in ("first", "last", "updated") if holder.get(name)}
            holder.update({name: value.removesuffix("Z") for name, value in instants.items()})
        return {**store, "daemon": told["daemon"]}

    def metrics(self, accept: str) -> bytes:
        """Figures for Prometheus, in the form that an Accept header asks for."""
        return self._asked("GET", "/metrics", accept=accept).read()

    def tail(self, events: Sequence[str], programs: Sequence[str]) -> Iterator[str]:
        """Events as they are stored, as JSON; it ends when the daemon does."""
        asked = urlencode([*(("event", name) for name in events), *(("program", name) for name in programs)])
        answer = self._asked("GET", f"/v1/tail?{asked}")
        while line := answer.readline():
            if line.strip():
                yield line.decode().rstrip("\n")

    def mark(self, title: str, details: str) -> None:
        """Put a note on the time line."""
        self._asked("POST", "/v1/marks", {"title": title, "details": details}).read()

    def handle(self, finding: str, action: str, words: str, until: datetime | None) -> None:
        """Note what is done about a finding."""
        told = {"action": action, "words": words, "until": until.isoformat() + "Z" if until else None}
        self._asked("POST", f"/v1/findings/{quote(finding)}/handled", told).read()

    def load(self, parts: Iterable[bytes]) -> Loaded:
        """Load the parts of batches (``parts.py``); raises what making them raises."""
        body = (LENGTH.pack(len(part)) + part for part in parts)
        headers = {"Content-Type": "application/octet-stream"}
        try:
            self._connection.request("POST", "/v1/ingest", body, headers)
        except (BrokenPipeError, ConnectionResetError):
            # It may have said why before it stopped listening.
            return Loaded(**json.load(self._answered()))
        except BaseException:
            # What has been sent is not whole: the daemon forgets what is under way in it.
            self._connection.close()
            raise
        return Loaded(**json.load(self._answered()))

    def held(self, names: tuple[str, ...]) -> Held:
        """What names a person, as counts."""
        told = json.load(self._asked("POST", "/v1/erase", {"names": list(names), "dry_run": True}))
        return Held(counts=Counter(told["counts"]), alone=told["alone"])

    def erase(self, names: tuple[str, ...]) -> dict[str, Any]:
        """Erase a person; gives the receipt."""
        receipt: dict[str, Any] = json.load(self._asked("POST", "/v1/erase", {"names": list(names)}))[
            "receipt"
        ]
        return receipt

    def seal(self) -> Iterator[Step]:
        """Seal finished days; gives the files."""
        yield from self._steps("/v1/store/seal")

    def compact(self) -> Iterator[Step]:
        """Make one file of small ones; gives the tables and days."""
        yield from self._steps("/v1/store/compact")

    def verify(self, *, set_aside: bool) -> list[Damage]:
        """Read all of the store; gives what is wrong."""
        told = json.load(self._asked("POST", "/v1/store/verify", {"set_aside": set_aside}))
        return [Damage(**each) for each in told["damage"]]

    def backup(self, target: Path) -> int:
        """Copy the store to a new directory; gives its size in bytes."""
        if target.exists():
            raise OutputError("it exists already", str(target), "name a new directory")
        answer = self._asked("GET", "/v1/store/backup")
        try:
            return received(cast(BinaryIO, answer), target)
        finally:
            answer.close()
            self._connection.close()

    def _steps(self, path: str) -> Iterator[Step]:
        answer = self._asked("POST", path)
        while line := answer.readline():
            told = json.loads(line)
            if "error" in told:
                raise MailscopeError(*(str(told["error"][name]) for name in ("what", "where", "what_to_do")))
            yield Step(told["done"], str(told["place"]))

    def blocklist(self, asked: dict[str, list[str]]) -> bytes:
        """Attackers to be blocked, as ``watch.blocking.answering`` is asked for them."""
        return self._asked("GET", f"/v1/blocklist?{urlencode(asked, doseq=True)}").read()

    def silence(self, detection: str | None, words: str, until: datetime | None) -> None:
        """Tell people of nothing until then; None: tell them again."""
        end = until.isoformat() + "Z" if until else None
        self._asked("POST", "/v1/silences", {"until": end, "detection": detection, "words": words}).read()

    def close(self) -> None:
        """Let go of the connection."""
        self._connection.close()

    def _rows(self, path: str, question: dict[str, Any]) -> Iterator[pl.DataFrame]:
        import pyarrow as pa

        answer = self._asked("POST", path, question)
        try:
            with pa.ipc.open_stream(answer) as stream:
                for batch in stream:
                    frame = pl.from_arrow(batch)
                    assert isinstance(frame, pl.DataFrame)
                    yield frame
            # The end of the rows is not yet the end of the answer, and the next one comes behind it.
            answer.read()
        finally:
            if not answer.isclosed():
                # What is left of it must not be taken for the next answer; that one has a new connection.
                answer.close()
                self._connection.close()

    def _asked(
        self, method: str, path: str, body: Any = None, accept: str = "*/*"
    ) -> http.client.HTTPResponse:
        headers = {"Content-Type": "application/json", "Accept": accept}
        try:
            self._connection.request(method, path, None if body is None else json.dumps(body), headers)
        except (OSError, http.client.HTTPException) as error:
            raise self._broken(error) from error
        return self._answered()

    def _answered(self) -> http.client.HTTPResponse:
        try:
            answer = self._connection.getresponse()
        except (OSError, http.client.HTTPException) as error:
            raise self._broken(error) from error
        if answer.status >= 400:
            raise _refusal(answer)
        return answer

    def _broken(self, error: Exception) -> InputError:
        self._connection.close()
        return InputError(f"the daemon broke off ({error})", str(self.path), "ask again")


def _refusal(answer: http.client.HTTPResponse) -> MailscopeError:
    """Why it was not answered, as it would have been told without a daemon."""
    try:
        told = json.loads(answer.read())
        words = (str(told["what"]), str(told["where"]), str(told["what_to_do"]))
    except (ValueError, KeyError, TypeError):
        words = (f"the daemon answered {answer.status} {answer.reason}", "", "see its log")
    return UsageError(*words) if answer.status in (400, 422) else MailscopeError(*words)
