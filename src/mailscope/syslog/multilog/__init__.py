"""``multilog``: lines into directories of files that are bounded, safe and rotated by themselves.

In: lines on standard input, and a script in the arguments (``script.py``).  Out: directories as daemontools'
multilog makes them (``directory.py``): the same file names, modes and contents.  Never: what a line means.

    standard input --feed.py--> lines --script.py--> directories, status files, standard error

Source: daemontools 0.76, multilog.c and multilog(8).
"""
