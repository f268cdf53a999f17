"""Events given to other programs: in which form, and where to.

In: batches of recognised lines.  Out: a file, standard output or a server that has taken every event, with
counts of what was not.  ``rows.py`` makes typed rows of them, ``forms/`` texts or tables of rows, and
``drain.py`` carries them to a file (``output.py``) or to a server (``destinations/``).

It never counts for a report, changes no log, and talks to nobody but the server that a person named.
"""
