"""What stands in front of a message: in the local form, and those of RFC 3164 and RFC 5424."""

from __future__ import annotations

import ctypes
import os
import socket
import time
from collections.abc import Callable
from functools import cache
from typing import Final

from mailscope.syslog.logger.options import Header, Options
from mailscope.syslog.receiver.stamps import MONTHS
from mailscope.vocabulary.errors import UsageError

_LONGEST_TAG: Final = 48  # RFC 5424 section 6
_LONGEST_HOST: Final = 255
_TIME_OK: Final = 0


def header(options: Options) -> bytes:
    """The header of a message that is sent now.  Raises UsageError for what RFC 5424 has no room for."""
    made = options.header or ("rfc5424" if options.server else "local")
    return os.fsencode(_MAKERS[made](options))


def _local(options: Options) -> str:
    process = f"[{options.process}]" if options.process else ""
    return f"<{options.priority}>{_date()} {options.tag}{process}: "


def _rfc3164(options: Options) -> str:
    process = f"[{options.process}]" if options.process else ""
    host = socket.gethostname().partition(".")[0] or "-"
    return f"<{options.priority}>{_date()} {host} {options.tag[:200]}{process}: "


def _rfc5424(options: Options) -> str:
    stamp = "-"
    if options.with_time:
        now = time.time_ns() // 1000
        at = time.localtime(now // 1_000_000)
        zone = time.strftime("%z", at)
        stamp = f"{time.strftime('%Y-%m-%dT%H:%M:%S', at)}.{now % 1_000_000:06}{zone[:3]}:{zone[3:]}"
    host = socket.gethostname() if options.with_host else "-"
    if len(host) > _LONGEST_HOST:
        raise UsageError(f"hostname '{host}' is too long", "logger")
    if len(os.fsencode(options.tag)) > _LONGEST_TAG:
        raise UsageError(f"tag '{options.tag}' is too long", "--tag", f"{_LONGEST_TAG} bytes at most")
    data = ""
    if options.with_time and options.with_quality and all(name != "timeQuality" for name, _ in options.data):
        data = _time_quality()
    data += "".join(f"[{name} {' '.join(parameters)}]" for name, parameters in options.data if parameters)
    process = str(options.process or "-")
    words = (stamp, host or "-", options.tag, process, options.message_id or "-", data or "-")
    return f"<{options.priority}>1 {' '.join(words)} "


_MAKERS: Final[dict[Header, Callable[[Options], str]]] = {
    "local": _local,
    "rfc3164": _rfc3164,
    "rfc5424": _rfc5424,
}


def _date() -> str:
    at = time.localtime()
    return f"{MONTHS[at.tm_mon - 1]} {at.tm_mday:2} {at.tm_hour:02}:{at.tm_min:02}:{at.tm_sec:02}"


class _NtpTime(ctypes.Structure):
    """struct ntptimeval of <sys/timex.h>, as far as it is looked at."""

    _fields_ = (
        ("seconds", ctypes.c_long),
        ("microseconds", ctypes.c_long),
        ("max_error", ctypes.c_long),
        ("estimated_error", ctypes.c_long),
        ("rest", ctypes.c_long * 8),
    )


@cache
def _ntp_gettime() -> Callable[[object], int] | None:
    try:
        call: Callable[[object], int] = ctypes.CDLL(None).ntp_gettime
    except (OSError, AttributeError):  # not glibc
        return None
    return call


def _time_quality() -> str:
    """What the kernel knows of its clock (RFC 5424 section 7.1)."""
    call, found = _ntp_gettime(), _NtpTime()
    if call is not None and call(ctypes.byref(found)) == _TIME_OK:
        return f'[timeQuality tzKnown="1" isSynced="1" syncAccuracy="{found.max_error}"]'
    return '[timeQuality tzKnown="1" isSynced="0"]'
