"""What holds for all tests; also makes ``tests/`` a place to import helpers from (``running.py``)."""

from hypothesis import settings

# How long an example takes says more about what else the machine does than about the code.
settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")
