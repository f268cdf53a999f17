# Exim, with its own log file.
. /common.sh
logging
cat >/etc/exim4/exim4.conf <<'END'
primary_hostname = exim.example.org
acl_smtp_rcpt = accept
acl_smtp_data = accept
tls_advertise_hosts =
log_selector = +smtp_confirmation
begin acl
accept:
  accept
begin routers
next:
  driver = manualroute
  route_list = * sendmail.example.org
  transport = out
begin transports
out:
  driver = smtp
  hosts_try_prdr =
begin retry
* * F,1h,1m
END
exim4 -bdf -q1m &
listening 25
ready
