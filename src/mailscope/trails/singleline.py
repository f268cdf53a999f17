"""MTAs that tell in one line what Postfix tells in several, and that log no end of a message.

    <= alice@example.org H=... S=385 id=...                      Exim: taken in, queued, identified
    from=<alice@example.org>, size=385, nrcpts=2, msgid=...      Sendmail: the same
    smtp message msgid=1c0bb1ca size=385 nrcpt=2                 OpenSMTPD: taken in, queued
    wAM40g12012345: wAM40g13012345: DSN: User unknown            Sendmail: a notification came into being
    completed,id=00000000000002DD.000000006B0952DC.0000017B      Courier: all were tried that were due

The story of a message is made of steps of one kind each, so such a line is told apart into several.  Sendmail
and OpenSMTPD say of each recipient what became of it, and nothing when the last one is done: a message is
finished when as many recipients as it has are served or refused and none waits for another try.  Courier
does not say how many there are, but when a round of attempts has ended.
"""

from __future__ import annotations

from typing import Final

import polars as pl

# Services that log no end of a message.
ENDLESS: Final = ("sendmail", "opensmtpd")
NOTIFIES: Final = "sendmail"
EXIM: Final = "exim"
# Services that give an id before there is a message.
EARLY_IDS: Final = ("sendmail", "exim")


def told_apart(frames: dict[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    """The kinds of line, with the kinds that lines of these MTAs stand for as well."""
    accepted = frames["accepted"]
    frames = frames | {
        "endless": frames["rested"],
        "queued": _with_sizes(frames["queued"]),
        "rejected": _of_messages(frames["rejected"]),
    }
    notified = _notified(frames["bounced_to_sender"])
    if accepted["size_bytes"].null_count() == len(accepted) and not len(notified):
        return frames
    sized = _with_senders(accepted.filter(pl.col("size_bytes").is_not_null()), frames["queued"])
    # Exim's notifications have a line as all messages, which names the message that they are about.
    own = (pl.col("service") == EXIM) & pl.col("orig_queue_id").is_not_null()
    made = sized.filter(own)
    frames["accepted"] = accepted.filter(~own | own.is_null())
    frames["queued"] = _with(frames["queued"], sized, notified)
    named = sized.filter(pl.col("message_id").is_not_null() & ~own) if "message_id" in sized.columns else made
    frames["identified"] = _with(frames["identified"], named, made.filter(own), notified).unique(
        ["order", "key"], maintain_order=True
    )
    frames["endless"] = pl.concat(
        [sized.filter(pl.col("service").is_in(ENDLESS)), notified, frames["rested"]], how="diagonal"
    ).sort("order", maintain_order=True)
    return frames


def _with_sizes(queued: pl.DataFrame) -> pl.DataFrame:
    """The lines of Courier with the size 0: it tells none before a message is delivered.

    Only its ids hold a point.
    """
    if not queued["size_bytes"].null_count():
        return queued
    courier = pl.col("size_bytes").is_null() & pl.col("queue_id").str.contains(".", literal=True)
    return queued.with_columns(pl.when(courier).then(0).otherwise("size_bytes").alias("size_bytes"))


def _of_messages(rejected: pl.DataFrame) -> pl.DataFrame:
    """Refusals without those under an id that has not become a message.

    Sendmail gives each transaction an id and Exim each body; what is refused before it is logged as taken
    in is no message, and a message that is taken in after one of its recipients was refused begins then.
    Only a filter of Sendmail's refuses later, once it has the whole message.
    """
    early = pl.col("service").is_in(EARLY_IDS).fill_null(False)
    return rejected.filter(~early | (pl.col("stage") == "END-OF-MESSAGE")) if len(rejected) else rejected


def _with_senders(sized: pl.DataFrame, queued: pl.DataFrame) -> pl.DataFrame:
    """Acceptances with the sender that another line tells (OpenSMTPD, with each envelope)."""
    if not sized["sender"].null_count():
        return sized
    told = queued.filter(pl.col("sender").is_not_null()).unique("key", keep="first", maintain_order=True)
    told = told.select("key", pl.col("sender").alias("of_envelope"))
    joined = sized.join(told, on="key", how="left", maintain_order="left")
    return joined.with_columns(pl.coalesce("sender", "of_envelope").alias("sender")).drop("of_envelope")


def _with(frame: pl.DataFrame, *more: pl.DataFrame) -> pl.DataFrame:
    """A kind of line with further lines of it, in order."""
    own = [other.select(name for name in frame.columns if name in other.columns) for other in more]
    return pl.concat([frame, *own], how="diagonal").sort("order", maintain_order=True)


def _notified(bounced: pl.DataFrame) -> pl.DataFrame:
    """The messages that Sendmail makes to notify somebody: they have no other line to begin with."""
    made = bounced.filter((pl.col("service") == NOTIFIES) & pl.col("next_queue_id").is_not_null())
    # key ^ hash(own id) is the place; with the other id's hash it is the other message's key.
    key = made["key"] ^ made["queue_id"].hash() ^ made["next_queue_id"].hash()
    return made.with_columns(
        key.alias("key"),
        pl.col("next_queue_id").alias("queue_id"),
        pl.lit("").alias("sender"),
        pl.lit(1, pl.Int64).alias("recipient_count"),
        # Its size is not logged.
        pl.lit(0, pl.Int64).alias("size_bytes"),
    )


def served(messages: pl.DataFrame, recipients: pl.DataFrame) -> pl.Series:
    """Which messages that log no end have all their recipients served or refused."""
    waits = (pl.col("status") == "deferred").any()
    known = recipients.group_by("trail").agg(pl.len().alias("seen"), waits.alias("waits"))
    told = messages.select("trail", "endless", "ended", "recipient_count").join(
        known, on="trail", how="left", maintain_order="left"
    )
    return told.select(
        (
            pl.col("endless")
            & pl.col("ended").is_null()
            & ~pl.col("waits").fill_null(True)
            & (pl.col("seen") >= pl.col("recipient_count").fill_null(1))
        ).fill_null(False)
    ).to_series()


def ended(messages: pl.DataFrame, recipients: pl.DataFrame) -> pl.DataFrame:
    """The messages, with their end where their recipients tell it."""
    if not messages["endless"].any():
        return messages
    done = served(messages, recipients)
    return messages.with_columns(
        pl.when(done).then(pl.lit("removed")).otherwise(pl.col("ended")).alias("ended")
    )
