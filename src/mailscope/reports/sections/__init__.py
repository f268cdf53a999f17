"""The report's sections, one file each, in the order in which they are shown.

In: nothing; each file declares what its section is (``reports/section.py``).  To add one, write a file and
name it here; a tally that does not exist yet is declared in ``tallies/registry.py``.
"""

from __future__ import annotations

from typing import Final

from mailscope.reports.section import Section
from mailscope.reports.sections import (
    bounces,
    causes,
    changes,
    clients,
    concurrency,
    connections,
    deferrals,
    delays,
    errors,
    fates,
    heatmap,
    log_loss,
    login_failures,
    logins,
    messages,
    notifications,
    programs,
    recipients,
    rejects,
    relays,
    senders,
    trends,
    unrecognised,
    verdicts,
    volume,
    warnings,
    who_logged_in,
)

SECTIONS: Final[tuple[Section, ...]] = (
    changes.COUNTS,
    changes.SIZES,
    changes.DELAYS,
    volume.BY_DAY,
    volume.BY_HOUR,
    volume.BY_HOUR_OF_DAY,
    trends.BY_WEEK,
    trends.TRENDS,
    heatmap.SECTION,
    messages.SECTION,
    fates.SECTION,
    delays.SECTION,
    senders.BY_ADDRESS,
    senders.BY_DOMAIN,
    recipients.BY_ADDRESS,
    recipients.BY_DOMAIN,
    relays.SECTION,
    clients.SECTION,
    logins.BY_USER,
    causes.BY_CAUSE,
    causes.BY_DOMAIN,
    notifications.SECTION,
    deferrals.SECTION,
    bounces.SECTION,
    causes.OF_REJECTS,
    rejects.BY_REASON,
    rejects.BY_CLIENT,
    verdicts.SECTION,
    login_failures.BY_CLIENT,
    login_failures.BY_USER,
    errors.SECTION,
    warnings.SECTION,
    connections.SECTION,
    logins.BY_SERVICE,
    who_logged_in.BY_USER,
    who_logged_in.AFTER_FAILURES,
    who_logged_in.VERDICTS,
    who_logged_in.SWITCHES,
    concurrency.SECTION,
    log_loss.SECTION,
    programs.SECTION,
    unrecognised.SECTION,
)
BY_NAME: Final[dict[str, Section]] = {section.name: section for section in SECTIONS}
