"""What holds for all tests; also makes ``tests/`` a place to import helpers from (``running.py``)."""

import os

from hypothesis import settings

# How long an example takes says more about what else the machine does than about the code.  Each run of the
# tests tries the same examples, so that what fails fails again; `make fuzz` tries others each time.
settings.register_profile("any machine", deadline=None, derandomize="MAILSCOPE_FUZZ" not in os.environ)
settings.load_profile("any machine")
