"""What holds for all tests; also makes ``tests/`` a place to import helpers from (``running.py``)."""

import os
import tarfile
from pathlib import Path

import pytest
from hypothesis import settings

# How long an example takes says more about what else the machine does than about the code.  Each run of the
# tests tries the same examples, so that what fails fails again; `make fuzz` tries others each time.
settings.register_profile("any machine", deadline=None, derandomize="MAILSCOPE_FUZZ" not in os.environ)
settings.load_profile("any machine")

QUEUE = Path(__file__).parent / "data" / "queues" / "postfix.tar.xz"


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A queue of a real Postfix (``spool``) and what its programs printed of it (``golden``); not to be changed.

    The spool (incoming, active, deferred, hold, corrupt, maildrop and the logs) was taken while the queue
    manager of a Postfix 3.7 stood still.  Two of the three files in corrupt were made by us.
    """
    place = tmp_path_factory.mktemp("lab")
    with tarfile.open(QUEUE) as packed:
        packed.extractall(place, filter="tar")
    return place
