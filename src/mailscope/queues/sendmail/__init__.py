"""The queue of Sendmail: qf files (envelope and header) and df files (body).

In: a queue directory (/var/spool/mqueue, mqueue-client), live or a copy.  Out: ``QueueEntry``s
(``reader.py``).  Reads only.  Source: appendix B of the Sendmail Installation and Operation Guide 8.17
(doc/op/op.me), "Summary of support files"; queue.c.
"""
