# Sendmail, by a configuration of its m4 macros.
. /common.sh
logging
mkdir -p /etc/mail /var/run/sendmail/mta /var/lib/sendmail/host_status /var/spool/mqueue
chown root:root /var/spool/mqueue
chmod 700 /var/spool/mqueue
cat >/etc/mail/lab.mc <<'END'
include(`/usr/share/sendmail/cf/m4/cf.m4')dnl
OSTYPE(`debian')dnl
define(`SMART_HOST', `opensmtpd.example.org')dnl
define(`confDOMAIN_NAME', `sendmail.example.org')dnl
FEATURE(`promiscuous_relay')dnl
FEATURE(`accept_unresolvable_domains')dnl
FEATURE(`nocanonify')dnl
DAEMON_OPTIONS(`Name=MTA, Port=smtp')dnl
MAILER(`smtp')dnl
END
m4 /etc/mail/lab.mc >/etc/mail/sendmail.cf
/usr/sbin/sendmail-mta -bd -q20s || /usr/lib/sm.bin/sendmail -bd -q20s
listening 25
ready
