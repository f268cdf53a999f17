"""The sealed archive: raw lines that nobody can change unseen, not even with today's key.

In: lines as they came.  Out: a file a day of the lines, compressed (``zstdcat`` reads it), beside it a file
of seals; what ``verify.py`` finds wrong with them; the original bytes.  Never: what a line says.

    lines --writer.py--> DAY.log.zst, DAY.seals      key --keys.py--> the next key; the one before is erased

Each batch of lines has a seal: a keyed hash over the batch and a short keyed tag of each line with its
number.  All seals are chained into the head, which can be kept elsewhere.  After each batch the key is put
through a one-way function and the old one overwritten.
The first key is shown once, when the archive is begun, and kept elsewhere: from it all others follow, so
whoever has it can verify everything, and whoever breaks in later can forge nothing of what was before.

Source: B. Schneier and J. Kelsey, "Secure Audit Logs to Support Computer Forensics" (1999); M. Bellare and
B. Yee, "Forward Integrity For Secure Audit Logs" (1997); HMAC: RFC 2104.
"""
