"""Syslog: messages that other hosts and programs send, and the small programs that write and keep them.

In: sockets, or lines on standard input.  Out: lines as syslog daemons write them into files, which ``intake``
reads; messages; rotated directories; sealed archives.  Never: what the text of a line means.
"""
