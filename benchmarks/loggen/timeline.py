"""Lines wait in slices of time until nothing can come before them; then a slice is sorted and written."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from operator import itemgetter
from typing import BinaryIO

from loggen.truth import Tag, Truth

SECOND_US = 1_000_000
SLICE_US = 60 * SECOND_US
INFO, WARNING = 22, 20  # facility mail (2 * 8) and severity
HOURLY_LOAD = (
    3, 2, 2, 2, 2, 3, 4, 7, 11, 13, 13, 12, 10, 12, 13, 12, 11, 9, 7, 6, 5, 5, 4, 4,
)  # fmt: skip
WEEKEND_LOAD = 0.45

Line = tuple[int, str, Tag]
Envelope = Callable[[list[Line], str], str]


def load_at(time_us: int) -> float:
    """Give the relative load of a moment: by hour of day (straight between hours), less at the weekend."""
    seconds = time_us // SECOND_US
    hour, part = divmod(seconds % 86_400, 3600)
    load = HOURLY_LOAD[hour] + (HOURLY_LOAD[(hour + 1) % 24] - HOURLY_LOAD[hour]) * part / 3600
    weekday = (seconds // 86_400 + 3) % 7  # 1970-01-01 was a Thursday
    return load * (WEEKEND_LOAD if weekday >= 5 else 1.0)


def as_rfc3164(lines: list[Line], host: str) -> str:
    """Write lines as syslogd does: `Mar  2 00:00:00 mail postfix/smtpd[1]: text`."""
    heads: dict[int, str] = {}
    for second in {line[0] // SECOND_US for line in lines}:
        moment = datetime.fromtimestamp(second, UTC)
        heads[second] = f"{moment:%b} {moment.day:2d} {moment:%H:%M:%S} {host} "
    return "".join([f"{heads[time_us // SECOND_US]}{text}\n" for time_us, text, _ in lines])


def as_rfc3339(lines: list[Line], host: str) -> str:
    """Write lines as rsyslog's file format does: `2026-03-02T00:00:00.000000+00:00 mail ...`."""
    heads = iso_seconds(lines)
    written = []
    for time_us, text, _ in lines:
        second, microsecond = divmod(time_us, SECOND_US)
        written.append(f"{heads[second]}.{microsecond:06d}+00:00 {host} {text}\n")
    return "".join(written)


def as_rfc5424(lines: list[Line], host: str) -> str:
    """Write lines as RFC 5424 section 6 says: `<22>1 TIME HOST APP PROCID - - text`."""
    heads = iso_seconds(lines)
    written = []
    for time_us, line, _ in lines:
        tag, _, text = line.partition("]: ")
        program, _, pid = tag.partition("[")
        priority = WARNING if text.startswith("warning: ") else INFO
        second, microsecond = divmod(time_us, SECOND_US)
        written.append(
            f"<{priority}>1 {heads[second]}.{microsecond:06d}+00:00 {host} {program} {pid} - - {text}\n"
        )
    return "".join(written)


def iso_seconds(lines: list[Line]) -> dict[int, str]:
    """Give the ISO 8601 text of every second among the lines."""
    seconds = {line[0] // SECOND_US for line in lines}
    return {second: f"{datetime.fromtimestamp(second, UTC):%Y-%m-%dT%H:%M:%S}" for second in seconds}


ENVELOPES: dict[str, Envelope] = {"rfc3164": as_rfc3164, "rfc3339": as_rfc3339, "rfc5424": as_rfc5424}


@dataclass
class Timeline:
    """The slices not yet written, the file and the truth about what went into it."""

    file: BinaryIO
    envelope: Envelope
    host: str
    wanted: int
    truth: Truth

    def __post_init__(self) -> None:
        """Start with no slice."""
        self._slices: dict[int, list[Line]] = {}
        self.added = 0

    def add(self, time_us: int, text: str, tag: Tag = None) -> None:
        """Put a line in its place."""
        self.added += 1
        try:
            self._slices[time_us // SLICE_US].append((time_us, text, tag))
        except KeyError:
            self._slices[time_us // SLICE_US] = [(time_us, text, tag)]

    def waiting(self, index: int) -> int:
        """Say how many lines a slice has so far."""
        return len(self._slices.get(index, ()))

    @property
    def missing(self) -> int:
        """Say how many lines of the wanted ones are not yet written."""
        return self.wanted - self.truth.lines

    def write(self, index: int) -> None:
        """Write a slice in order of time, no more lines than wanted, and count it."""
        lines = self._slices.pop(index, [])
        lines.sort(key=itemgetter(0))
        del lines[max(self.missing, 0) :]
        data = self.envelope(lines, self.host).encode()
        self.file.write(data)
        self.truth.lines += len(lines)
        self.truth.bytes_written += len(data)
        hour = datetime.fromtimestamp(index * SLICE_US // SECOND_US, UTC)
        self.truth.count((line[2] for line in lines), f"{hour:%Y-%m-%dT%H}")
