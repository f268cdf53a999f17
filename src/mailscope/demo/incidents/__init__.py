"""The incidents: what can be injected, and when each is.

A variant is a function that plans an incident's actions from its start on, sets its subject and end, and says
when it can be known. Each kind has an obvious and a hard variant.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import TYPE_CHECKING

from mailscope.demo.business import INVOICE_DAY, MAINTENANCE_DAY, NEWSLETTER_DAY, SLOW_EVENING_DAY
from mailscope.demo.incidents import abuse, assaults, guessing, machine, trouble
from mailscope.demo.incidents.incident import Incident
from mailscope.demo.plan import DAY, FULL_DAYS, FULL_INCIDENTS, HOUR, Plan

if TYPE_CHECKING:
    from mailscope.demo.host import Host

Variant = Callable[[Incident], None]
ANY, WORK, NIGHT = (0, 21), (9, 12), (0, 3)  # hours in which they begin

KINDS: dict[str, tuple[tuple[int, int], Variant, Variant]] = {
    "brute_force": (ANY, guessing.brute_force_obvious, guessing.brute_force_hard),
    "password_spraying": (ANY, guessing.password_spraying_obvious, guessing.password_spraying_hard),
    "distributed_guessing": (ANY, guessing.distributed_guessing_obvious, guessing.distributed_guessing_hard),
    "compromised_account": (ANY, abuse.compromised_account_obvious, abuse.compromised_account_hard),
    "outgoing_spam": (NIGHT, abuse.outgoing_spam_obvious, abuse.outgoing_spam_hard),
    "mail_loop": (ANY, abuse.mail_loop_obvious, abuse.mail_loop_hard),
    "incoming_flood": (ANY, assaults.incoming_flood_obvious, assaults.incoming_flood_hard),
    "directory_harvest": (ANY, assaults.directory_harvest_obvious, assaults.directory_harvest_hard),
    "relay_probing": (ANY, assaults.relay_probing_obvious, assaults.relay_probing_hard),
    "provider_blocks": (WORK, trouble.provider_blocks_obvious, trouble.provider_blocks_hard),
    "bounce_rate": (WORK, trouble.bounce_rate_obvious, trouble.bounce_rate_hard),
    "dnsbl_listed": (WORK, trouble.dnsbl_listed_obvious, trouble.dnsbl_listed_hard),
    "queue_growth": (WORK, trouble.queue_growth_obvious, trouble.queue_growth_hard),
    "slow_delivery": (WORK, trouble.slow_delivery_obvious, trouble.slow_delivery_hard),
    "tls_failures": (WORK, trouble.tls_failures_obvious, trouble.tls_failures_hard),
    "silence": (WORK, machine.silence_obvious, machine.silence_hard),
    "new_root_login": (NIGHT, machine.new_root_login_obvious, machine.new_root_login_hard),
    "disk_full": (ANY, machine.disk_full_obvious, machine.disk_full_hard),
    "privilege_misuse": (ANY, machine.privilege_misuse_obvious, machine.privilege_misuse_hard),
}
NAMES = tuple(f"{kind}_{variant}" for kind in KINDS for variant in ("obvious", "hard"))
QUIET_DAYS = 4  # at the beginning of a long simulation: something must be learnt first
FULL_OF_LIFE = (NEWSLETTER_DAY, INVOICE_DAY, SLOW_EVENING_DAY, MAINTENANCE_DAY)


def choose(plan: Plan, rng: Random) -> list[str]:
    """Choose the variants: each kind once if there is room, then kinds again in their other variant."""
    if plan.incidents is not None:
        return list(plan.incidents)
    wanted = max(1, round(FULL_INCIDENTS * plan.days / FULL_DAYS))
    kinds = rng.sample(list(KINDS), len(KINDS))
    # One seed's obvious ones are the next one's hard ones, so that two seeds show all.
    first = [("obvious", "hard")[(list(KINDS).index(kind) + plan.seed) % 2] for kind in kinds]
    other = ["hard" if variant == "obvious" else "obvious" for variant in first]
    names = [f"{kind}_{variant}" for kind, variant in zip(kinds * 2, first + other, strict=True)]
    return names[:wanted]


def schedule(host: Host) -> list[Incident]:
    """Plan all incidents, one after another over the days."""
    plan, rng = host.world.plan, Random(f"incidents {host.world.plan.seed}")
    names = choose(plan, rng)
    rng.shuffle(names)
    days = [day for day in range(min(QUIET_DAYS, plan.days // 3), plan.days) if day not in FULL_OF_LIFE]
    working = [day for day in days if plan.weekday(day) < 5] or days
    starts: dict[str, int] = {}
    for needs_work in (True, False):
        group = [name for name in names if (KINDS[name.rpartition("_")[0]][0] == WORK) == needs_work]
        used = {(start - plan.begin) // DAY for start in starts.values()}
        free = working if needs_work else [day for day in days if day not in used]
        free = free if len(free) >= len(group) else days
        for number, name in enumerate(group):
            day = free[min(number * len(free) // len(group), len(free) - 1)]
            first, last = KINDS[name.rpartition("_")[0]][0]
            last = min(last, 12) if day == plan.days - 1 else last
            starts[name] = plan.begin + day * DAY + int(rng.uniform(first, last) * HOUR)
    incidents = []
    for name in sorted(names, key=starts.__getitem__):
        kind, _, variant = name.rpartition("_")
        incident = Incident(kind, variant, host, starts[name])
        _, obvious, hard = KINDS[kind]
        (obvious if variant == "obvious" else hard)(incident)
        incidents.append(incident)
    return incidents
