"""Changes of the mail system's configuration, as marks on the time line.

In: files of Postfix, qmail, Dovecot, and others that settings name.  Out: rows of ``marks`` with a difference
in which secrets are masked.  Never: a password, a key, or a hash of one, in a row or in the state kept.
"""
