"""The queues of a mail host, read from the spool itself: what waits, since when, for whom and why.

In: a spool directory, live or a copy, on any machine; the MTA need not be installed.  Out: ``QueueEntry``
rows, the same for every MTA (``entry.py``).  ``registry.py`` lists the MTAs; each has a folder of its own
whose ``reader.py`` reads its spool.  Nothing here writes; ``actions.py`` alone changes a queue, through the
MTA's own programs.
"""
