"""What the daemon does beside reading and storing lines: it tells systemd how it is, and samples the host.

In: signals, the host's load, files of configuration.  Out: frames of rows for the store's tables, one line of
status.  Objects with ``sample(now)`` give a frame when it is time and there is something to tell, else
None; they never wait.
"""
