"""How records of logins lie in their files, in whatever layout; nothing here needs more than Python."""
