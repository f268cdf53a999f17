"""Queue ids as Postfix 3.7 makes them (`src/global/mail_queue.h`), and the inodes inside them.

Short: five hexadecimal digits of microseconds, then the inode in hexadecimal: a new message that gets
an old inode at the same microsecond gets the old id. Long: seconds (6 or more) and microseconds (4) in
base 52, `z`, and the inode in base 51; never used twice.
"""

import heapq

SAFE_ALPHABET = "0123456789BCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz"
FIRST_INODE = 0x178017
PAIRS = [high + low for high in SAFE_ALPHABET for low in SAFE_ALPHABET]


def in_base(number: int, base: int) -> str:
    """Write a number with the safe alphabet, most significant digit first."""
    digits = ""
    while number:
        number, digit = divmod(number, base)
        digits = SAFE_ALPHABET[digit] + digits
    return digits or "0"


class Inodes:
    """Hands out the lowest free inode, as a file system does; an inode comes back when its time is over."""

    def __init__(self) -> None:
        self._free: list[int] = []
        self._busy: list[tuple[int, int]] = []
        self._next = FIRST_INODE

    def take(self, now: int) -> int:
        """Take the lowest inode that is free at `now` (microseconds)."""
        busy = self._busy
        while busy and busy[0][0] <= now:
            heapq.heappush(self._free, heapq.heappop(busy)[1])
        if self._free:
            return heapq.heappop(self._free)
        self._next += 1
        return self._next

    def give_back(self, inode: int, when: int) -> None:
        """Make an inode free from `when` on (microseconds)."""
        heapq.heappush(self._busy, (when, inode))


def short_id(time_us: int, inode: int) -> str:
    """Make a short queue id."""
    return f"{time_us % 1_000_000:05X}{inode:X}"


class LongIds:
    """Makes long queue ids; remembers the encoded inodes and the last second, which recur."""

    def __init__(self) -> None:
        self._inodes: dict[int, str] = {}
        self._second = -1
        self._second_text = ""

    def __call__(self, time_us: int, inode: int) -> str:
        """Make a long queue id."""
        second, microsecond = divmod(time_us, 1_000_000)
        if second != self._second:
            self._second = second
            self._second_text = in_base(second, 52).rjust(6, "0")
        text = self._inodes.get(inode)
        if text is None:
            text = self._inodes[inode] = in_base(inode, 51)
        high, low = divmod(microsecond, 2704)
        return f"{self._second_text}{PAIRS[high]}{PAIRS[low]}z{text}"
