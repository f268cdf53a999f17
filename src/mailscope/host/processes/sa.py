"""``sa``: what commands and users cost, in GNU acct's columns.

    calls  re (elapsed minutes)  cp (minutes of the processor)  avio  k  name (a star: forked, and called no
    exec)

``avio`` and ``k`` are GNU's, whose names promise more: input and output are characters divided by 100, memory
is KiB divided by the KiB of a page.  JSON and CSV have characters and KiB as they are.

Columns, orders and poolings are those of sa.c (6.6.4).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cmp_to_key
from pathlib import Path
from typing import Any, Final

import numpy as np

from mailscope.host.accounts import Accounts
from mailscope.host.columns import Column, c_texts, rows
from mailscope.host.hashtable import order
from mailscope.host.processes.lastcomm import figures, groups, users
from mailscope.host.processes.records import FORKED, TICKS, AccountingFile
from mailscope.host.processes.summaries import in_order, read_commands, read_users
from mailscope.host.processes.usage import COMMAND_BYTES, NOTHING, Cost, Usage, is_forked, values_of

OTHER: Final = b"***other"
JUNK: Final = b"**junk**"
# The name of an order, and what it goes by: the larger comes first.
SORTS: Final[dict[str, Callable[[Cost, bool], float]]] = {
    "cpu": lambda cost, each: cost.cpu_s,
    "cpu_per_call": lambda cost, each: cost.cpu_s / cost.calls,
    "avio": lambda cost, each: cost.io / cost.calls,
    "tio": lambda cost, each: cost.io,
    "memory": lambda cost, each: cost.memory / cost.calls,
    "storage": lambda cost, each: cost.cpu_s * cost.memory if cost.cpu_s else cost.memory,
    "elapsed": lambda cost, each: cost.elapsed_s / cost.calls if each else cost.elapsed_s,
    "calls": lambda cost, each: float(cost.calls),
}


@dataclass(frozen=True)
class Asked:
    """What a person asked ``sa`` for."""

    sort: str = "cpu"
    reverse: bool = False
    by_user: bool = False
    by_group: bool = False
    everything: bool = False
    percentages: bool = False
    separate_times: bool = False
    seconds: bool = False
    ratio: bool = False
    total_io: bool = False
    storage: bool = False
    paging: bool = False
    paging_average: bool = False
    junk: int = 0
    is_junk: Callable[[bytes], bool] = lambda name: True


@dataclass(frozen=True)
class Row:
    """A command, a user, or a pool of commands."""

    name: bytes
    forked: bool
    cost: Cost


def used(
    file: AccountingFile | None, asked: Asked, accounts: Accounts, savacct: Path | None, usracct: Path | None
) -> Usage:
    """The costs of a file and of the summaries (None: of none), by command or by user as is asked."""
    usage = Usage()
    if asked.by_user:
        _add_all(usage, usage.users.put, read_users(usracct) if usracct else ())
    else:
        _add_all(usage, usage.commands.put, read_commands(savacct) if savacct else ())
    for block in file.blocks() if file else ():
        values = values_of(block)
        if asked.by_user:
            named = groups(block.gid, accounts) if asked.by_group else users(block.uid, accounts)
            usage.add_users(named, values)
        else:
            usage.add_commands(block, values)
        usage.add_total(values)
    return usage


def _add_all(usage: Usage, put: Callable[[bytes, Cost], None], costs: Iterable[tuple[bytes, Cost]]) -> None:
    for key, cost in costs:
        put(key, cost)
        usage.total = usage.total.plus(cost)


def summed(usage: Usage, asked: Asked) -> list[Row]:
    """The rows, the total first; none where nothing ran (by command, also where all is pooled)."""
    if asked.by_user:
        found = [Row(name, False, cost) for name, cost in in_order(usage.users.costs())]
    else:
        found = _commands(usage, asked)
        if not found:
            return []
    if not usage.total.calls:
        return []
    return [Row(b"", False, usage.total), *sorted(found, key=cmp_to_key(_comparing(asked)))]


def text(all_rows: list[Row], asked: Asked) -> Iterator[bytes]:
    """The rows as ``sa`` writes them."""
    total = all_rows[0].cost if all_rows else NOTHING
    for row in all_rows:
        if asked.by_user:
            yield b"%-32.32b " % row.name + _figures(row.cost, total, asked) + b"\n"
        else:
            star = b"*" if row.forked else b""
            yield _figures(row.cost, total, asked) + (b"   " + row.name + star if row.name else b"") + b"\n"


NAMES: Final = (
    "name", "forked_without_exec", "calls", "elapsed_s", "cpu_s", "user_s", "system_s", "average_io_chars",
    "total_io_chars", "average_memory_kib", "memory_kib_s", "minor_faults", "major_faults", "swaps",
)  # fmt: skip


def values(all_rows: list[Row]) -> Iterator[dict[str, Any]]:
    """The rows as plain values, in true units: seconds, characters, KiB.  The total has no name."""
    for row in all_rows:
        cost = row.cost
        chars = cost.io * TICKS
        yield {
            "name": row.name.decode("utf-8", "backslashreplace") or None,
            "forked_without_exec": row.forked,
            "calls": cost.calls,
            "elapsed_s": round(cost.elapsed_s, 2),
            "cpu_s": round(cost.cpu_s, 2),
            "user_s": round(cost.user_s, 2),
            "system_s": round(cost.system_s, 2),
            "average_io_chars": round(chars / cost.calls),
            "total_io_chars": round(chars),
            "average_memory_kib": round(cost.true_kib, 1),
            "memory_kib_s": round(cost.true_kib * cost.cpu_s, 1),
            "minor_faults": int(cost.sums[5]),
            "major_faults": int(cost.sums[6]),
            "swaps": int(cost.sums[7]),
        }


def per_process(file: AccountingFile, asked: Asked, accounts: Accounts) -> Iterator[bytes]:
    """``sa -u``: a line for each process, in the file's order."""
    for block in file.blocks():
        named = groups(block.gid, accounts) if asked.by_group else users(block.uid, accounts)
        values = values_of(block)
        star = np.where(block.flag & FORKED, b"*", b"").astype("S1")
        columns: list[Column | bytes] = [
            Column(named, 8, 8), b" ",
            Column(figures(values[:, 0] + values[:, 1], b"%.2f"), 6, right=True), b" cpu ",
            Column(figures(values[:, 3], b"%.0f"), 8, right=True), b"k mem ",
            Column(figures(values[:, 4], b"%.0f"), 6, right=True), b" io ",
            Column(c_texts(block.comm), 16), Column(star),
        ]  # fmt: skip
        yield rows(columns, len(block))


def _commands(usage: Usage, asked: Asked) -> list[Row]:
    """Commands in the order of GNU's hash table, the pools before them."""
    found = usage.commands.costs()
    padded = [key.ljust(COMMAND_BYTES + 2, b"\0") for key, _cost in found]
    single: list[Row] = []
    pools = {OTHER: Row(OTHER, False, NOTHING), JUNK: Row(JUNK, False, NOTHING)}
    for number in order(padded):
        key, cost = found[number]
        row = Row(key[:COMMAND_BYTES].partition(b"\0")[0], is_forked(key), cost)
        pool = None if asked.everything else _pool(row, asked)
        if pool is None:
            single.append(row)
        else:
            pools[pool] = Row(pool, pools[pool].forked or row.forked, pools[pool].cost.plus(cost))
    # As sa.c has it: where nothing is left, nothing is shown.
    return [*(row for row in pools.values() if row.cost.calls), *single] if single else []


def _pool(row: Row, asked: Asked) -> bytes | None:
    if asked.junk and row.cost.calls <= asked.junk and asked.is_junk(row.name):
        return JUNK
    if row.cost.calls == 1 or any(not 32 <= byte < 127 for byte in row.name):
        return OTHER
    return None


def _comparing(asked: Asked) -> Callable[[Row, Row], int]:
    first = SORTS[asked.sort]
    sign = -1 if asked.reverse else 1

    def keys(row: Row) -> tuple[float, ...]:
        cost = row.cost
        ties = (cost.calls, cost.user_s, cost.system_s, cost.elapsed_s, cost.io, cost.memory)
        return (first(cost, asked.seconds), *ties)

    def compare(one: Row, two: Row) -> int:
        left, right = keys(one), keys(two)
        return sign * ((left < right) - (left > right))

    return compare


def _figures(cost: Cost, total: Cost, asked: Asked) -> bytes:
    """print_stats_nicely() of sa.c."""
    part = cost.calls if asked.seconds else 60.0
    out = f"{cost.calls:8d} " + _share(cost.calls, total.calls, asked, " ")
    out += f"{cost.elapsed_s / part:10.2f}re " + _share(cost.elapsed_s, total.elapsed_s, asked, " ")
    if asked.separate_times:
        out += f"{cost.user_s / part:10.2f}u " + _share(cost.user_s, total.user_s, asked, " ")
        out += f"{cost.system_s / part:10.2f}s" + _share(cost.system_s, total.system_s, asked, "", " ")
    else:
        out += f"{cost.cpu_s / part:10.2f}cp" + _share(cost.cpu_s, total.cpu_s, asked, "", " ")
    if asked.ratio:
        out += (f"{cost.elapsed_s / cost.cpu_s:8.1f}" if cost.cpu_s else "*ignore*") + "re/cp"
    return (out + _last_columns(cost, asked)).encode()


def _last_columns(cost: Cost, asked: Asked) -> str:
    minor, major, swaps = cost.sums[5:]
    if asked.paging and asked.paging_average:
        calls = cost.calls
        return f"{minor / calls:5.0f}min/c {major / calls:5.0f}maj/c {swaps / calls:5.0f}swp/c "
    if asked.paging:
        return f"{minor:10.0f}min {major:10.0f}maj {swaps:10.0f}swp "
    io = f"{cost.io:10.0f}tio " if asked.total_io else f"{cost.io / cost.calls:10.0f}avio "
    if asked.storage:
        return io + f"{cost.memory * cost.cpu_s / cost.calls if cost.cpu_s else cost.memory:9.0f}k*sec"
    return io + f"{cost.memory / cost.calls:9.0f}k"


def _share(one: float, all_: float, asked: Asked, behind: str, before: str = "") -> str:
    return f"{before}{one / all_ * 100.0 if all_ else 0.0:7.2f}%{behind}" if asked.percentages else ""
