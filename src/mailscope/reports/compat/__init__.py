"""Reports in the very form of older programs, for the scripts and eyes that are used to them.

One folder or module per program.  They count by that program's own rules, which are not ours:
docs/agreement.md says where the two differ and why.
"""
