"""Settings of the detections, a table for each: what it counts as too much, over what time."""

from __future__ import annotations

from pydantic import Field

from mailscope.vocabulary.settings.detections import access
from mailscope.vocabulary.settings.detections.dnsbl import DnsblListed
from mailscope.vocabulary.settings.detections.flow import (
    BounceRate,
    DirectoryHarvest,
    IncomingFlood,
    ListAbuse,
    MailLoop,
    OutgoingSpam,
    ProviderBlocks,
    QueueSize,
    RelayProbing,
    SlowDelivery,
)
from mailscope.vocabulary.settings.detections.host import (
    CertificateExpiry,
    ConcurrencySaturated,
    CoverageFalling,
    LogLoss,
    Silence,
    SystemTrouble,
    TlsFailures,
)
from mailscope.vocabulary.settings.values import Network, OptionalPath, Table

__all__ = ["Detections"]


class Detections(Table):
    """What is looked for in the logs while they come, and by `mailscope detect`."""

    trusted_networks: tuple[Network, ...] = Field(
        (), description="Networks whose clients are never told of as attackers, beside networks of ours."
    )
    own: OptionalPath = Field(
        "/etc/mailscope/detections.d", description="Directory of your own detections, one per file."
    )
    countries: OptionalPath = Field(
        "",
        description="A table of countries: CSV of network,country, or a MaxMind database (.mmdb); without "
        "it, only networks are compared.",
    )
    dnsbl_listed: DnsblListed = DnsblListed()
    brute_force: access.BruteForce = access.BruteForce()
    password_spraying: access.PasswordSpraying = access.PasswordSpraying()
    distributed_guessing: access.DistributedGuessing = access.DistributedGuessing()
    new_login_place: access.NewLoginPlace = access.NewLoginPlace()
    compromised_account: access.CompromisedAccount = access.CompromisedAccount()
    new_root_login: access.NewRootLogin = access.NewRootLogin()
    privilege_misuse: access.PrivilegeMisuse = access.PrivilegeMisuse()
    silence: Silence = Silence()
    log_loss: LogLoss = LogLoss()
    coverage_falling: CoverageFalling = CoverageFalling()
    system_trouble: SystemTrouble = SystemTrouble()
    concurrency_saturated: ConcurrencySaturated = ConcurrencySaturated()
    tls_failures: TlsFailures = TlsFailures()
    certificate_expiry: CertificateExpiry = CertificateExpiry()
    outgoing_spam: OutgoingSpam = OutgoingSpam()
    incoming_flood: IncomingFlood = IncomingFlood()
    directory_harvest: DirectoryHarvest = DirectoryHarvest()
    relay_probing: RelayProbing = RelayProbing()
    list_abuse: ListAbuse = ListAbuse()
    mail_loop: MailLoop = MailLoop()
    bounce_rate: BounceRate = BounceRate()
    provider_blocks: ProviderBlocks = ProviderBlocks()
    slow_delivery: SlowDelivery = SlowDelivery()
    queue_size: QueueSize = QueueSize()
