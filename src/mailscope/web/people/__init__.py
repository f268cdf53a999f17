"""Who uses the live page and the API over TCP: accounts, sessions, tokens, and what each may see.

In: requests.  Out: a ``Viewer`` for each, or a refusal.  It never reads the store of mail, and what pages
show is none of its business; but nothing that they answer leaves without passing its guard.
"""
