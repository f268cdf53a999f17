"""What protects the persons whose mail a log tells about.

In: lines, and a key.  Out: lines that stay readable for every pattern, with pseudonyms for persons and
clients, and without passwords.  Nothing is stored here, and no key leaves the file that it stands in.
"""
