"""The queue of Exim: -H, -D and -J files of its input directories, with the reasons in its message logs.

In: a spool directory (/var/spool/exim4), live or a copy.  Out: ``QueueEntry``s (``reader.py``), and what
``exim -bp`` prints (``listing.py``).  Reads only.  Source: "Format of spool files" of Exim's specification;
spool_in.c and queue.c of Exim 4.96.
"""
