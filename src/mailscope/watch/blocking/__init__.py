"""Blocklists made of findings: whom a firewall, an MTA or fail2ban should keep out, and until when.

In: findings of attacks, what must never be blocked.  Out: networks that do not overlap, as other programs
read them.  Nothing here blocks anybody: a person, or a timer that a person sets up, hands the list on.
"""
