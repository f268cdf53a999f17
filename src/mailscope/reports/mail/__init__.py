"""The report as a mail, and handing it to the local sendmail or an SMTP server."""
