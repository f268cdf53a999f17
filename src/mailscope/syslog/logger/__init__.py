"""``logger``: messages from the command line or standard input to a syslog daemon, as util-linux's does it.

In: options (``options.py``), words or lines.  Out: messages (``headers.py``) over a unix socket, UDP or TCP
(``connection.py``).  Never: reading an answer.

Source: util-linux 2.38, misc-utils/logger.c and logger(1); RFC 3164, RFC 5424, RFC 6587.
"""
