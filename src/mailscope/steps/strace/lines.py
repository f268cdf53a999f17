"""A line of strace's output: whose it is, when it was written, and what stands in it.

    11722 04:33:04.427194 openat(AT_FDCWD, "maildrop/427182.11722", O_RDWR|O_CREAT, 0644) = 4 <0.000061>
    [pid 11722] 1795321984.427194 unlink("active/4jXG4d5NTxzCb6X" <unfinished ...>
    3625  <... clone resumed>, child_tidptr=0x7ff23d429a50) = 7441
    3624  +++ exited with 0 +++

Only the form is looked at here.  Calls that no later stage asks for are recognised and left out.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal["call", "begun", "resumed", "exited", "other", "damaged"]

# A number of more digits than a process id can have (PID_MAX_LIMIT is 2^22) is a time of -ttt.
_HEAD: Final = re.compile(
    r" *(?:\[pid +([0-9]{1,7})(?:<([^<>]*)>)?\] +|([0-9]{1,7})(?:<([^<>]*)>)? +(?=[^.]))?"  # who
    r"(?:([0-9]{9,11}(?:\.[0-9]{1,9})?|[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?) +)?"  # -t, -tt, -ttt
    r"(?:(?:\(\+ *)?([0-9]{1,8}\.[0-9]{3,9})\)? +)?"  # -r
    r"(?:\[[ 0-9a-f?]+\] +){0,2}"  # -i, -n
)
_NAME: Final = re.compile(r"([a-z_][a-z_0-9]*)\(")
_RESUMED: Final = re.compile(r"<\.\.\. ([a-z_][a-z_0-9]*) resumed>")
_EXITED: Final = re.compile(r"\+\+\+ (exited with [0-9]+|killed by [A-Z0-9+]+)( \(core dumped\))? \+\+\+")
# Signals, what strace says of itself, the stack of -k, and calls whose arguments -C or a filter left out.
_OTHER: Final = re.compile(
    r"--- .* ---|\+\+\+ superseded by execve in pid [0-9]+ \+\+\+|(?:strace: )?Process [0-9]+ "
    r"(?:attached|detached|suspended|resumed).*|strace: .*|\[ Process PID=[0-9]+ runs in .* mode\. \]"
    r"| ?> .*|\?\?\?\?\(.*"
)
_WHOLE: Final = re.compile(r".*\) += [-0-9?].*", re.DOTALL)
_LASTED: Final = re.compile(r" <([0-9]+\.[0-9]+)>$")
_BEGUN: Final = (" <unfinished ...>", "<unfinished ...>", " <detached ...>", "<detached ...>")
# What -c and -C write instead of calls.
SUMMARY: Final = re.compile(r"% time +seconds +usecs/call")


@dataclass(slots=True)
class Line:
    """``stamp``: seconds since 1970 or since midnight (``of_day``); ``since_last_s``: what -r wrote.

    ``body``: a call from its name on, without ``<unfinished ...>`` and the time that it took; of a call
    that is resumed, the rest of it; of an exit, how.  ``comm``: the name of the process that -Y tells.
    """

    kind: Kind
    pid: int | None = None
    stamp: float | None = None
    of_day: bool = False
    since_last_s: float | None = None
    name: str = ""
    body: str = ""
    took_s: float | None = None
    comm: str = ""


def read_line(text: str, wanted: frozenset[str]) -> Line:
    """Read one line, without its end.  A call that is not ``wanted`` is "other"."""
    head = _HEAD.match(text)
    assert head is not None  # all its parts may be missing
    body = text[head.end() :]
    line = Line("damaged")
    pid = head[1] or head[3]
    line.pid = int(pid) if pid else None
    line.comm = head[2] or head[4] or ""
    if head[5]:
        line.of_day = ":" in head[5]
        line.stamp = _of_day(head[5]) if line.of_day else float(head[5])
    line.since_last_s = float(head[6]) if head[6] else None
    if found := _NAME.match(body):
        _call(line, found[1], body, wanted)
    elif found := _RESUMED.match(body):
        line.name = found[1]
        line.body, line.took_s = _lasted(body[found.end() :])
        if line.name not in wanted:
            line.kind = "other"
        elif _WHOLE.fullmatch(line.body):
            line.kind = "resumed"
    elif found := _EXITED.fullmatch(body):
        line.kind, line.body = "exited", found[1]
    elif _OTHER.fullmatch(body):
        line.kind = "other"
    return line


def _call(line: Line, name: str, body: str, wanted: frozenset[str]) -> None:
    line.name = name
    for ending in _BEGUN:
        if body.endswith(ending):
            line.kind, line.body = "begun", body.removesuffix(ending)
            break
    else:
        line.body, line.took_s = _lasted(body)
        if _WHOLE.fullmatch(line.body):
            line.kind = "call"
    if line.kind != "damaged" and name not in wanted:
        line.kind = "other"


def _lasted(body: str) -> tuple[str, float | None]:
    found = _LASTED.search(body)
    return (body[: found.start()], float(found[1])) if found else (body, None)


def _of_day(stamp: str) -> float:
    hours, minutes, seconds = stamp.split(":")
    return int(hours) * 3600 + int(minutes) * 60 + float(seconds)
