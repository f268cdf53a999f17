"""``mailscope blocklist``: attackers that were found, as firewalls and others read them."""

from __future__ import annotations

from pathlib import Path

import click

FORMATS = ("nft", "ipset", "fail2ban", "postfix-cidr", "hosts", "json")


@click.command()
@click.option("--format", "form", type=click.Choice(FORMATS), default="json", show_default=True)
@click.option(
    "--min-severity", "severity", type=click.Choice(["info", "warning", "critical"]),
    help="Findings at least so severe; otherwise as the settings say.",
)  # fmt: skip
@click.option("--since", metavar="TIME", help="Only attackers that were seen since then.")
@click.option("--spare", metavar="ADDRESS", multiple=True, help="An address or network not to be blocked.")
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="FILE", help="Write there, whole.")
@click.option("--store", type=click.Path(path_type=Path), metavar="DIR", help="The store to ask.")
@click.option("--tz", metavar="ZONE", help="Read times of this zone.")
def blocklist(
    form: str, severity: str | None, since: str | None, spare: tuple[str, ...], output: Path | None,
    store: Path | None, tz: str | None,
) -> None:  # fmt: skip
    """List attackers to be blocked, why, and until when.

    Nothing is blocked by it: hand the list to a firewall, to fail2ban or to Postfix (docs/blocking.md).
    Networks of ours, trusted and private ones, addresses from which somebody logged in lately and the one
    that you come from are never in it.

    \b
    mailscope blocklist --format nft | nft -f -
    mailscope blocklist --format postfix-cidr -o /etc/postfix/mailscope.cidr
    mailscope blocklist --min-severity critical --since yesterday
    """
    from mailscope.cli.inputs import Inputs
    from mailscope.cli.output import write
    from mailscope.cli.stores import door, entered, settings
    from mailscope.store.reader import Reader
    from mailscope.store.remote import Remote
    from mailscope.vocabulary.errors import InputError, UsageError
    from mailscope.watch.blocking.blocks import network_of
    from mailscope.watch.blocking.spared import own_addresses

    for each in spare:
        if network_of(each) is None:
            raise UsageError(f"'{each}' is neither an address nor a network", "--spare", "see 192.0.2.0/24")
    inputs = Inputs((), since, None, (), tz, None, store=store)
    asked = {"format": [form], "spare": [*spare, *own_addresses()]}
    if severity is not None:
        asked["severity"] = [severity]
    if inputs.since_utc is not None:
        asked["since"] = [inputs.since_utc.isoformat()]
    way = door(inputs)
    if way is None:
        raise InputError(
            "there is no store", "", "start 'mailscope serve', or load logs with 'mailscope ingest'"
        )
    try:
        if isinstance(way, Remote):
            text = way.blocklist(asked)
        else:
            from mailscope.watch.blocking.answering import blocklist as made

            assert isinstance(way, Reader)
            entered(way, "blocklist")
            text = made(way.database, settings(), asked)[0]
    finally:
        way.close()
    write([text], output)
