"""The syslog protocol: messages that other hosts and programs send.

In: sockets.  Out: lines as syslog daemons write them into files, which ``intake`` reads.  Never: what the
text of a line means.
"""
