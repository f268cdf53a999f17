"""The way of one message through the daemons of its MTA, step by step, with the time each step took.

In: the stories that ``trails`` tells of a log (``logged.py``), or what strace wrote of the daemons
(``strace/``).  Out: ``Way`` (``way.py``): who did what, handed it to whom, and in which queue the file stood
meanwhile; as data (``record.py``) and as an SVG sequence diagram (``svg.py``).  Reads only; runs nothing.
"""
