"""Settings of detections that look at how mail flows.

``history_h``: before there is so much history, what is usual at an hour is not known. In the first three days
only the ``gross`` limits count, then ``times`` the busiest hour so far, too.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from mailscope.vocabulary.settings.values import Table

Count = Annotated[int, Field(ge=1, le=10_000_000)]
Seconds = Annotated[int, Field(ge=1, le=604_800)]
Hours = Annotated[int, Field(ge=1, le=1_344)]
Share = Annotated[float, Field(gt=0, le=1)]
Times = Annotated[float, Field(ge=1, le=1_000)]

ENABLED = "Whether it is looked for."
HISTORY = "Hours of history without which what is usual at an hour is not known."


class OutgoingSpam(Table):
    """A wave of outgoing mail from one source that is not a login."""

    enabled: bool = Field(True, description=ENABLED)
    recipients: Count = Field(40, description="Fewer recipients in an hour are no wave.")
    domains: Count = Field(10, description="Fewer recipients' domains in an hour are no wave.")
    refused_share: Share = Field(
        0.15, description="Share of them refused from which volume is taken for spam."
    )
    times: Times = Field(5.0, description="So many times what is usual for the source at this hour.")
    gross: Count = Field(5_000, description="So many recipients in an hour are a wave whatever is refused.")
    history_h: Hours = Field(168, description=HISTORY)


class IncomingFlood(Table):
    """Refusals, connections or messages of strangers far above what is usual."""

    enabled: bool = Field(True, description=ENABLED)
    refused: Count = Field(500, description="Fewer refusals in an hour are no flood.")
    connections: Count = Field(2_000, description="Fewer connections in an hour are no flood.")
    messages: Count = Field(500, description="Fewer messages of strangers in an hour are no flood.")
    times: Times = Field(5.0, description="So many times what is usual at this hour.")
    gross: Times = Field(
        20.0, description="So many times the numbers above are a flood before there is history."
    )
    history_h: Hours = Field(168, description=HISTORY)


class DirectoryHarvest(Table):
    """One network tries many recipients that do not exist."""

    enabled: bool = Field(True, description=ENABLED)
    window_s: Seconds = Field(3_600, description="Time over which recipients are counted.")
    recipients: Count = Field(25, description="So many different recipients that do not exist.")
    known_share: Share = Field(
        0.25, description="A network whose messages were taken in at more than this share of them is none."
    )
    networks: Count = Field(10, description="So many networks, none of which tries most, try together ...")
    recipients_together: Count = Field(
        50, description="... so many different recipients that do not exist ..."
    )
    times: Times = Field(5.0, description="... and so many times what is usual of all at this hour.")
    gross: Times = Field(20.0, description="So many times that number counts before there is history.")
    history_h: Hours = Field(168, description=HISTORY)


class RelayProbing(Table):
    """Strangers try to send mail to others through this host, or succeed."""

    enabled: bool = Field(True, description=ENABLED)
    window_s: Seconds = Field(3_600, description="Time over which tries are counted.")
    refused: Count = Field(10, description="So many refused tries of one network ...")
    refused_together: Count = Field(5, description="... or so many of several of its addresses ...")
    targets: Count = Field(4, description="... to so many different recipients.")
    relayed: Count = Field(3, description="Recipients' domains to which a stranger's mail went out.")
    learn_h: Hours = Field(
        24, description="Networks that send through this host in the first hours may do so."
    )


class ListAbuse(Table):
    """A mailbox is flooded from everywhere, a list is misused, or two programs answer each other."""

    enabled: bool = Field(True, description=ENABLED)
    messages: Count = Field(80, description="Messages to one mailbox in an hour ...")
    sender_domains: Count = Field(50, description="... from so many senders' domains.")
    requests: Count = Field(
        40, description="Messages in an hour to the addresses with which a list is left or joined."
    )
    expanded: Count = Field(2_000, description="Recipients in an hour of one sender's messages to many.")
    times: Times = Field(5.0, description="So many times what is usual at this hour.")
    gross: Times = Field(5.0, description="So many times the numbers above count before there is history.")
    history_h: Hours = Field(168, description=HISTORY)


class MailLoop(Table):
    """Mail goes round in circles."""

    enabled: bool = Field(True, description=ENABLED)
    window_s: Seconds = Field(3_600, description="Time over which messages are counted.")
    refused: Count = Field(
        3, description="So many messages to one domain that were returned because of a loop."
    )
    passes: Count = Field(8, description="So many times that one message came by for the same recipient.")
    answers: Count = Field(
        15, description="So many messages between two addresses, in each direction, in that time."
    )


class BounceRate(Table):
    """A share of mail that comes back far above what is usual."""

    enabled: bool = Field(True, description=ENABLED)
    bounced: Count = Field(
        12, description="Fewer bounces to a domain, in an hour or in a row, are none to tell of."
    )
    share: Share = Field(0.4, description="A smaller share of bounces at a domain is none to tell of.")
    bounced_all: Count = Field(60, description="Fewer bounces in all in an hour are none to tell of.")
    share_all: Share = Field(0.2, description="A smaller share of bounces in all is none to tell of.")
    times: Times = Field(3.0, description="So many times the usual share.")
    gross: Share = Field(0.6, description="The share that is too much before there is history.")
    cases: Count = Field(100, description="Deliveries on which a usual share must rest.")


class ProviderBlocks(Table):
    """A provider refuses or throttles us."""

    enabled: bool = Field(True, description=ENABLED)
    window_s: Seconds = Field(3_600, description="Time over which replies are counted.")
    blocked: Count = Field(5, description="So many refusals because of who we are.")
    share: Share = Field(0.3, description="A smaller share of refusals is no block.")
    critical: Count = Field(10, description="So many refusals, and nothing taken, are critical.")
    throttled: Count = Field(25, description="So many messages put off because we send too fast.")
    throttled_all: Count = Field(10, description="So many put off in a row, and nothing taken.")
    listed: Count = Field(3, description="So many providers that refuse us for the same blocklist in a day.")
    resumed: Count = Field(3, description="So many messages taken in a row say that it is over.")


class SlowDelivery(Table):
    """Deliveries take far longer than usual."""

    enabled: bool = Field(True, description=ENABLED)
    window_s: Seconds = Field(1_800, description="Time over which deliveries are looked at.")
    deliveries: Count = Field(30, description="Fewer deliveries say nothing.")
    deliveries_destination: Count = Field(15, description="Fewer deliveries to one destination say nothing.")
    queue_s: Seconds = Field(60, description="So long in our queue is slow.")
    connect_s: Seconds = Field(20, description="So long until a connection stands is slow.")
    transmit_s: Seconds = Field(30, description="So long to hand a message over is slow.")
    share: Share = Field(0.5, description="So many of the deliveries are slow.")
    share_destination: Share = Field(
        0.8, description="So many of the deliveries to one destination are slow."
    )
    times: Times = Field(4.0, description="So many times the usual share at this hour.")


class QueueSize(Table):
    """Far more messages wait than usual."""

    enabled: bool = Field(True, description=ENABLED)
    messages: Count = Field(60, description="Fewer messages that wait are none to tell of.")
    messages_domain: Count = Field(
        40, description="Fewer messages that wait for one domain are none to tell of."
    )
    oldest_s: Seconds = Field(900, description="They have waited so long already, half of them at least.")
    times: Times = Field(4.0, description="So many times what is usual at this hour.")
    gross: Times = Field(20.0, description="So many times the numbers above count before there is history.")
    history_h: Hours = Field(168, description=HISTORY)
