"""The same flow as a Spark job, for logs of many hosts.

In: files of logs wherever the executors can read them, or a stream.  Out: a store (``store/``) on a file
system that all of them share, which one machine reads as it reads its own.  Never: a way of its own to read,
recognise, follow or count lines; all of that is the flow's (``job.py`` is this one on a page).
"""
