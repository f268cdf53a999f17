"""Events in order.

In: sources, each a run of chunks.  Out: batches of recognised lines in order of time, with instants,
line numbers and duplicates marked.  Chunks are parsed side by side; what needs order is done here.
Files that overlap in time (``mail.log`` beside ``mail.err``, the logs of several hosts) are merged.
"""
