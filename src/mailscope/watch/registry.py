"""All detections, by the name that findings and settings have: the one place where one is entered."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from typing import Any, Final

from mailscope.vocabulary.errors import UsageError
from mailscope.watch.detection import About, Detection, Site
from mailscope.watch.detections.bounce_rate import BounceRate
from mailscope.watch.detections.brute_force import BruteForce
from mailscope.watch.detections.certificate_expiry import CertificateExpiry
from mailscope.watch.detections.compromised_account import CompromisedAccount
from mailscope.watch.detections.concurrency_saturated import ConcurrencySaturated
from mailscope.watch.detections.coverage_falling import CoverageFalling
from mailscope.watch.detections.directory_harvest import DirectoryHarvest
from mailscope.watch.detections.distributed_guessing import DistributedGuessing
from mailscope.watch.detections.incoming_flood import IncomingFlood
from mailscope.watch.detections.list_abuse import ListAbuse
from mailscope.watch.detections.log_loss import LogLoss
from mailscope.watch.detections.mail_loop import MailLoop
from mailscope.watch.detections.new_login_place import NewLoginPlace
from mailscope.watch.detections.new_root_login import NewRootLogin
from mailscope.watch.detections.outgoing_spam import OutgoingSpam
from mailscope.watch.detections.password_spraying import PasswordSpraying
from mailscope.watch.detections.privilege_misuse import PrivilegeMisuse
from mailscope.watch.detections.provider_blocks import ProviderBlocks
from mailscope.watch.detections.queue_size import QueueSize
from mailscope.watch.detections.relay_probing import RelayProbing
from mailscope.watch.detections.silence import Silence
from mailscope.watch.detections.slow_delivery import SlowDelivery
from mailscope.watch.detections.system_trouble import SystemTrouble
from mailscope.watch.detections.tls_failures import TlsFailures
from mailscope.watch.dnsbl.listed import DnsblListed
from mailscope.watch.own.detection import about_of
from mailscope.watch.own.files import Definition

# Each is made with its table of the settings (``vocabulary/settings/detections``), which has its name.
# A detection stands behind those that its incidents may be part of.
_CLASSES: Final[tuple[type[Any], ...]] = (
    PasswordSpraying,
    DistributedGuessing,
    BruteForce,
    NewLoginPlace,
    CompromisedAccount,
    NewRootLogin,
    PrivilegeMisuse,
    Silence,
    LogLoss,
    CoverageFalling,
    SystemTrouble,
    ConcurrencySaturated,
    TlsFailures,
    CertificateExpiry,
    OutgoingSpam,
    IncomingFlood,
    DirectoryHarvest,
    RelayProbing,
    ListAbuse,
    MailLoop,
    BounceRate,
    ProviderBlocks,
    SlowDelivery,
    QueueSize,
)
DETECTIONS: Final[Mapping[str, Callable[[Any, Site], Detection]]] = {
    each.about.name: each for each in _CLASSES
}
# Those that look at something else than logs, and so only in the daemon, which makes them.
LIVE: Final[tuple[About, ...]] = (DnsblListed.about,)
NAMES: Final = (*DETECTIONS, *(each.name for each in LIVE))


def abouts(own: Iterable[Definition] = ()) -> tuple[About, ...]:
    """What is told of each detection, in the order of the registry, and of an admin's ``own``."""
    return (*(each.about for each in _CLASSES), *LIVE, *(about_of(each) for each in own))


def known(names: Iterable[str], own: Iterable[str] = (), where: str = "--only") -> None:
    """Refuse what is no detection, ours or of an admin's ``own``.  Raises UsageError."""
    there = [*DETECTIONS, *own]
    for name in names:
        if name not in there:
            near = get_close_matches(name, there, 1)
            advice = f"did you mean {near[0]}?" if near else f"there are {', '.join(there)}"
            raise UsageError(f"there is no detection '{name}'", where, advice)
