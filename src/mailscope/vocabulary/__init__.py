"""The shared words.

In: nothing.  Out: names, types, meanings and the error tree, which every other folder uses.
It imports nothing of ours and does no work.
"""
