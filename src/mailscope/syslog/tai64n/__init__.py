"""TAI64N labels: put in front of lines, and told in local time.

In: lines.  Out: the same lines with ``@`` and 24 hexadecimal digits in front, or with such a label turned
into a date.  Never: what a line says.  Source: cr.yp.to/libtai/tai64.html; daemontools 0.76, timestamp.c,
tai64n.c and tai64nlocal.c.
"""
