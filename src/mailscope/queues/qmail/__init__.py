"""The queue of qmail: messages by their numbers in mess, info, local, remote, bounce, todo, intd and pid.

In: a queue directory (/var/qmail/queue), live or a copy.  Out: ``QueueEntry``s (``reader.py``), and what
qmail-qread and qmail-qstat print (``qread.py``, ``qstat.py``).  Reads only.  Source: INTERNALS.md,
qmail-send.c and qmail-queue.c of notqmail 1.09.
"""
