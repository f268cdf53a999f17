"""Process accounting: lastcomm, sa, the summaries savacct and usracct, and turning it on and off."""
