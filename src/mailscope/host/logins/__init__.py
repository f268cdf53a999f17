"""Logins: who, users, w, last, lastb, lastlog and ac, from utmp, wtmp, btmp and their successors."""
