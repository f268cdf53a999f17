"""Feeds of lines that arrive while the daemon runs: files that are followed, and systemd's journal.

In: what to follow (``FileFeed``: paths, patterns, directories; ``JournalFeed``: units) and the resume points
that the store holds.  Out: arrivals (``live.py``), each line once, over restarts and rotations.
Never: writing to a log, waiting in ``take``, taking lines apart.

A followed log (``log.py``) is one name, such as /var/log/mail.log, with all files that it is rotated into.
Of these, *parts* are being read: an open file (``tail.py``), or the rest of one that was packed meanwhile
(``packed.py``).  Which file is which is told by content (``position.py``), their order by name
(``beside.py``).
docs/following.md says what is guaranteed.
"""
