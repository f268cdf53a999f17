"""What the daemon is told by ``/etc/mailscope/mailscope.toml``: every setting, once.

In: a TOML file.  Out: checked values, and where each of them comes from.  Documentation, the commented
example file and the words of every refusal are made from the same models.  No secret is a setting: keys and
passwords stand in files of their own, which settings name.
"""
