"""Makes ``tests/`` a place to import helpers from (``running.py``), for the tests in all its folders."""
