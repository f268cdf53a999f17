"""What the daemons say of themselves: statistics of anvil and scache, and the master's reload.

Forms: Postfix 3.7 `src/anvil/anvil.c`, `src/scache/scache.c`, `src/master/master.c`.
"""

from __future__ import annotations

from time import gmtime, strftime
from typing import TYPE_CHECKING

from loggen.intruders import ip_of
from loggen.timeline import SECOND_US

if TYPE_CHECKING:
    from loggen.site import Site

PERIOD_US = 600 * SECOND_US  # main.cf: anvil_status_update_time
LEAST_LINES = 1500  # daemons of a site that sleeps are not running


class Housekeeping:
    """The daemons' reports, every ten minutes at most."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self._last = (0, 0)

    def report(self, now: int, lines: int) -> None:
        """Log what is due; `lines` is how many lines the log has so far."""
        then, lines_then = self._last
        if now - then < PERIOD_US or lines - lines_then < LEAST_LINES:
            return
        self._last = now, lines
        site, chance = self.site, self.site.chance
        ip = ip_of(site.draw(site.population.bot_pool))
        moment = strftime("%b %e %H:%M:%S", gmtime(now // SECOND_US - 200))
        hits, misses = 10 + int(chance() * 90), 10 + int(chance() * 90)
        fastest, most, cached = (low + int(chance() * high) for low, high in ((3, 60), (1, 9), (10, 90)))
        start = now + int(chance() * 30 * SECOND_US)
        for number, line in enumerate((
            f"{site.anvil}statistics: max connection rate {fastest}/60s for (smtp:{ip}) at {moment}",
            f"{site.anvil}statistics: max connection count {most} for (smtp:{ip}) at {moment}",
            f"{site.anvil}statistics: max cache size {cached} at {moment}",
            f"{site.scache}statistics: start interval {moment}",
            f"{site.scache}statistics: domain lookup hits={hits} miss={misses} "
            f"success={100 * hits // (hits + misses)}%",
            f"{site.scache}statistics: address lookup hits=0 miss={misses} success=0%",
        )):  # fmt: skip
            site.add(start + number * 40, line)
        if chance() < 0.02:
            site.add(now, f"{site.master}reload -- version 3.7.11, configuration /etc/postfix")
