"""Clients say that our certificate has expired, or a program says that it soon will."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Final

import polars as pl

from mailscope.language.phrase import Phrase
from mailscope.vocabulary.settings.detections.host import CertificateExpiry as Settings
from mailscope.watch.detection import About, Frames, Site
from mailscope.watch.finding import Signal
from mailscope.watch.seen import Seen
from mailscope.watch.window import LAST, SINCE, Measure, Window, told

KINDS: Final = ("tls_failed", "disconnected", "connection_lost", "warned", "failed", "noted", "login_failed")
# RFC 8446, section 6: alert 45 (certificate_expired) comes from the other side: it does not like ours.
ALERT: Final = r"(?i)alert certificate expired|alert number 45\b|certificate_expired"
SOON: Final = r"(?i)certificate (?:[^ ]+ )?(?:will )?expires? (?:in|within) (?<days>[0-9]+) days?"
KEYS: Final = ("host", "service")


class CertificateExpiry:
    """Counts complaints of the other side about our certificate."""

    about: ClassVar[About] = About(
        name="certificate_expiry",
        sees="TLS alerts by which clients or servers refuse our certificate as expired, and words of "
        "programs that one expires soon.",
        why="Mail programs show a warning or do not connect at all, and other servers may send in the "
        "clear or not at all.",
        false_positives="A single client with a wrong clock complains about every certificate; so do "
        "expired certificates of clients themselves, which are not counted.",
        advice="Renew the certificate, reload the services that use it (postfix reload, doveadm "
        "reload), and look whether the renewal runs by itself (certbot renew --dry-run).",
        commands=("openssl s_client -connect localhost:465 </dev/null | openssl x509 -noout -dates",),
        quiet_s=6 * 3_600,
    )
    needs: ClassVar = dict.fromkeys(KINDS, ("reason",))

    def __init__(self, settings: Settings, site: Site) -> None:
        self.settings = settings
        self._complaints = Window(KEYS, (Measure("lines"),), settings.window_s)

    def see(self, seen: Seen) -> Iterator[Signal]:
        """Look at a batch."""
        rows = seen.events(KINDS, ("text",))
        if not len(rows):
            return
        rows = rows.with_columns(pl.col("host", "service").fill_null(""))
        refused = rows.filter(pl.col("text").str.contains(ALERT))
        found = self._complaints.add(refused, {"lines": self.settings.complaints})
        for row in told(found, KEYS, "lines", self.about.quiet_s).iter_rows(named=True):
            mine = refused.filter(pl.col("host") == row["host"], pl.col("service") == row["service"])
            yield Signal(
                subject={"host": row["host"], "service": row["service"]},
                time=row[LAST],
                since=row[SINCE],
                severity="critical",
                title=Phrase(
                    "{host}: clients of {service} say that our certificate has expired", host=row["host"],
                    service=row["service"],
                ),
                figures={"lines": round(row["lines"]), "window_s": self.settings.window_s},
                lines=seen.evidence(mine),
            )  # fmt: skip
        days = pl.col("text").str.extract(SOON, 1).cast(pl.Int64, strict=False).alias("days")
        for row in rows.with_columns(days).filter(pl.col("days") <= 30).iter_rows(named=True):
            yield Signal(
                subject={"host": row["host"], "service": row["service"]},
                time=row["time"],
                since=row["time"],
                severity="critical" if row["days"] <= 3 else "warning",
                title=Phrase(
                    "{host}: a certificate expires in {days} days", host=row["host"], days=row["days"]
                ),
                figures={"days": row["days"]},
                lines=seen.evidence(rows.filter(pl.col("order") == row["order"])),
            )

    def state(self) -> Frames:
        """What it remembers."""
        return self._complaints.state()

    def resume(self, state: Frames) -> None:
        """Remember that."""
        self._complaints.resume(state)
