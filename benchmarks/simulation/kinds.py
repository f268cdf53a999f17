"""Which detections may find which kind of incident, and which others are then right too.

The one place of the simulation that knows the names of Mailscope's detections. `FINDS`: a finding of one of
these, about the incident's subject, has found it. `FOLLOWS`: what else is truly so while it lasts (a taken
account that sends spam fills the queue): such findings neither find it nor are false.
"""

FINDS: dict[str, tuple[str, ...]] = {
    "brute_force": ("brute_force",),
    "password_spraying": ("password_spraying",),
    "distributed_guessing": ("distributed_guessing",),
    "compromised_account": ("compromised_account", "outgoing_spam"),
    "outgoing_spam": ("outgoing_spam",),
    "mail_loop": ("mail_loop",),
    "incoming_flood": ("incoming_flood",),
    "directory_harvest": ("directory_harvest",),
    "relay_probing": ("relay_probing",),
    "provider_blocks": ("provider_blocks",),
    "bounce_rate": ("bounce_rate",),
    # Told by the replies, so what looks at replies finds it; the other asks the list itself.
    "dnsbl_listed": ("dnsbl_listed", "provider_blocks"),
    "queue_growth": ("queue_size",),
    "slow_delivery": ("slow_delivery",),
    "tls_failures": ("tls_failures", "certificate_expiry"),
    "silence": ("silence", "log_loss"),
    "new_root_login": ("new_root_login",),
    "disk_full": ("system_trouble",),
    "privilege_misuse": ("privilege_misuse",),
}
SPAM_FOLLOWS = ("bounce_rate", "provider_blocks", "queue_size", "slow_delivery", "concurrency_saturated")
FOLLOWS: dict[str, tuple[str, ...]] = {
    "brute_force": (),
    "password_spraying": ("distributed_guessing",),  # some of the accounts are tried from several addresses
    "distributed_guessing": ("brute_force",),
    "compromised_account": ("new_login_place", *SPAM_FOLLOWS),
    "outgoing_spam": SPAM_FOLLOWS,
    "mail_loop": ("outgoing_spam", "compromised_account", "incoming_flood", "queue_size"),
    "incoming_flood": ("concurrency_saturated",),
    "directory_harvest": ("incoming_flood",),
    "relay_probing": ("directory_harvest", "incoming_flood"),
    "provider_blocks": ("bounce_rate", "queue_size", "slow_delivery", "dnsbl_listed"),
    "bounce_rate": ("provider_blocks",),
    "dnsbl_listed": ("provider_blocks", "bounce_rate"),
    "queue_growth": ("slow_delivery", "system_trouble", "silence"),
    "slow_delivery": ("queue_size", "provider_blocks"),
    "tls_failures": ("queue_size", "slow_delivery", "silence", "provider_blocks"),
    "silence": ("coverage_falling", "mail_stopped"),
    "new_root_login": ("brute_force", "new_login_place"),
    "disk_full": ("queue_size", "slow_delivery", "silence", "incoming_flood"),
    "privilege_misuse": (),
}
ON_A_TRIP = ("new_login_place",)  # true, and harmless: somebody does travel
