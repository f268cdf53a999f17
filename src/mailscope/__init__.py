"""Mailscope reads everything that a mail host logs and follows every message to its fate."""

__version__ = "0.1.0"
