"""Codes and words of mail servers -> why mail was not delivered, whose fault it is, what to do.

In: reasons as logged, or as shapes, with the codes that stand beside them.  Out: the name of a cause, and
its texts in every language.  All knowledge is data (``data/``): causes, codes, wordings with examples that
are the tests.  It reads no log and counts nothing.
"""

from __future__ import annotations

from mailscope.causes import catalogue
from mailscope.causes.classify import classify

__all__ = ["catalogue", "classify"]
