"""The door to the store for others: a JSON API, on the daemon's unix socket.

In: requests.  Out: JSON, and rows as Arrow streams.  It reads through ``store`` and writes nothing but marks.
What a person is asked about is entered in the audit before it is answered.
"""
