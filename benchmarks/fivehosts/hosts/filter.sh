# Looks into mail (amavis with SpamAssassin and ClamAV, behind the queue) and gives it to the host that keeps it.
# Its clock is four seconds slow, and its stamps have whole seconds.
. /common.sh
stamps=RSYSLOG_TraditionalFileFormat clock=-4s
logging
# The one virus that there is in the lab: EICAR's test file.
printf 'Eicar-Test-Signature:0:*:%s\n' "$(printf 'EICAR-STANDARD-ANTIVIRUS-TEST-FILE' | od -An -tx1 | tr -d ' \n')" \
    >/var/lib/clamav/lab.ndb
cat >/etc/clamav/clamd.conf <<'END'
LocalSocket /run/clamd.ctl
LocalSocketMode 666
User amavis
DatabaseDirectory /var/lib/clamav
LogSyslog yes
LogFacility LOG_MAIL
END
chown -R amavis /var/lib/clamav
clamd
cat >/etc/amavis/conf.d/50-user <<'END'
use strict;
$mydomain = 'example.org';
$myhostname = 'filter.example.org';
@local_domains_maps = (['.example.org']);
@bypass_virus_checks_maps = ();
@bypass_spam_checks_maps = ();
$max_servers = 2;
$sa_local_tests_only = 1;
$sa_tag_level_deflt = -999;
$sa_spam_subject_tag = undef;
$log_level = 0;
$final_virus_destiny = D_DISCARD;
$final_spam_destiny = D_REJECT;
$virus_admin = undef;
$spam_admin = undef;
$QUARANTINEDIR = undef;
$virus_quarantine_to = undef;
$spam_quarantine_to = undef;
@av_scanners = (['ClamAV-clamd', \&ask_daemon, ["CONTSCAN {}\n", "/run/clamd.ctl"],
    qr/\bOK$/m, qr/\bFOUND$/m, qr/^.*?: (?!Infected Archive)(.*) FOUND$/m]);
@av_scanners_backup = ();
1;
END
mkdir -p /run/amavis
chown amavis /run/amavis
amavisd start
listening 10024
cat >/etc/postfix/transport <<'END'
example.org       smtp:[mail.example.org]
lists.example.org smtp:[lists.example.org]
END
postconf -M 'amavis/unix=amavis unix - - n - 2 smtp -o smtp_send_xforward_command=yes -o disable_dns_lookups=yes' \
    '127.0.0.1:10025/inet=127.0.0.1:10025 inet n - n - - smtpd -o content_filter= -o smtpd_authorized_xforward_hosts=127.0.0.0/8 -o receive_override_options=no_header_body_checks,no_unknown_recipient_checks'
mta filter.example.org 'relay_domains=example.org lists.example.org' transport_maps=texthash:/etc/postfix/transport \
    'content_filter=amavis:[127.0.0.1]:10024' 'relayhost=[out.example.org]'
ready
