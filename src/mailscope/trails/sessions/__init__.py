"""Sessions: one client's connection or login, from its first line to its last.

In: recognised lines, batch after batch, in order.  Out: sessions that have ended.  What ties the lines of a
session together is the process that serves it, its handle, or the client's address and port (``kinds``).
State is carried between batches and bounded by the number of sessions under way; results do not depend on
how the lines were cut into batches.
"""
