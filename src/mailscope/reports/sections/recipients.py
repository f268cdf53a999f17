"""To whom: envelope recipients, and their domains."""

from __future__ import annotations

from typing import Final

from mailscope.reports.attempts import numbers
from mailscope.reports.section import Label, Section, domain

NUMBERS: Final = numbers("recipients")
MEANING: Final = "Delivery attempts and their outcome, by {}."

BY_ADDRESS: Final = Section(
    "top_recipients", "Recipients", MEANING.format("recipient"), (Label("recipient", "Recipient"),), NUMBERS
)
BY_DOMAIN: Final = Section(
    "recipient_domains",
    "Recipient domains",
    MEANING.format("the recipient's domain"),
    (Label("domain", "Domain", domain("recipient")),),
    NUMBERS,
)
