"""All settings: the tables of the file, in the order in which people read about them."""

from __future__ import annotations

from pydantic import Field

from mailscope.vocabulary.settings.alerting import Alerts
from mailscope.vocabulary.settings.blocking import Blocking
from mailscope.vocabulary.settings.detections import Detections
from mailscope.vocabulary.settings.intake import Receiver, Sources
from mailscope.vocabulary.settings.keeping import Privacy, Retention, SealedArchive, Store
from mailscope.vocabulary.settings.outward import Api, DailyReport, Metrics
from mailscope.vocabulary.settings.values import Domain, Host, Network, OptionalPath, Table, TimeZone
from mailscope.vocabulary.settings.watching import Changes, Load, Queues
from mailscope.vocabulary.settings.web import Web


class Settings(Table):
    """What stands before the first table."""

    time_zone: TimeZone = Field(
        "", description='Zone of stamps without one, and of the times below; "": the system\'s.'
    )
    hosts: tuple[Host, ...] = Field((), description="Only lines of these hosts are kept; none: of all.")
    domains: tuple[Domain, ...] = Field((), description="Domains of ours: mail to them is incoming.")
    networks: tuple[Network, ...] = Field(
        ("127.0.0.0/8", "::1/128"), description="Networks of ours: clients in them are no strangers."
    )
    patterns: OptionalPath = Field(
        "/etc/mailscope/patterns.d", description="Directory of your own pattern files."
    )
    sources: Sources = Sources()
    receiver: Receiver = Receiver()
    store: Store = Store()
    archive: SealedArchive = SealedArchive()
    retention: Retention = Retention()
    privacy: Privacy = Privacy()
    api: Api = Api()
    web: Web = Web()
    metrics: Metrics = Metrics()
    daily_report: DailyReport = DailyReport()
    alerts: Alerts = Alerts()
    load: Load = Load()
    queues: Queues = Queues()
    changes: Changes = Changes()
    detections: Detections = Detections()
    blocking: Blocking = Blocking()
