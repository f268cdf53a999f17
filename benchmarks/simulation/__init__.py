"""Score findings on simulated months (`mailscope.demo` makes them); simulate a small host of another kind.

`score.py` alone has a table of the detections' names; what makes the logs never sees it.
"""
