"""The syslog receiver: messages from UDP, TCP, TLS and unix sockets become lines.

In: sockets to listen on (``listener.py``) and limits (``limits.py``).  Out: arrivals of lines
(``feed.py``), or the messages themselves for another use of them (``server.py``), and counts of all that
was not taken (``counts.py``).  Never: parsing of texts, looking up names, waiting for a sender.

    sockets --datagrams.py, streams.py, framing.py--> messages --relayed.py--> lines --feed.py--> take
"""
