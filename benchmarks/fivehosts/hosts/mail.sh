# Keeps the mail of example.org: Dovecot takes it over LMTP, with Sieve.  Its people send from here, too.
. /common.sh
logging
useradd -r -u 800 -d /srv/mail vmail
person() { # name, Sieve script
    mkdir -p "/srv/mail/$1"
    echo "$1@example.org:{PLAIN}secret:800:800::/srv/mail/$1::" >>/etc/dovecot/people
    [ -z "$2" ] || printf '%s\n' "$2" >"/srv/mail/$1/.dovecot.sieve"
}
person alice ''
person bob 'require ["fileinto", "mailbox"]; if header :contains "List-Id" "staff" { fileinto :create "Lists"; }'
person carol ''
person dave 'require "vacation"; vacation :addresses "dave@example.org" "I am away until Monday.";'
person erin 'redirect :copy "erin@example.net";'
sed -i 's/^redirect/require "copy"; redirect/' /srv/mail/erin/.dovecot.sieve
chown -R vmail /srv/mail
cat >/etc/dovecot/dovecot.conf <<'END'
protocols = lmtp
mail_location = maildir:~/Maildir
postmaster_address = postmaster@example.org
hostname = mail.example.org
auth_mechanisms = plain login
disable_plaintext_auth = no
ssl = no
passdb {
  driver = passwd-file
  args = username_format=%u /etc/dovecot/people
}
userdb {
  driver = passwd-file
  args = username_format=%u /etc/dovecot/people
}
service lmtp {
  unix_listener /var/spool/postfix/private/dovecot-lmtp {
    user = postfix
    mode = 0600
  }
}
service auth {
  unix_listener /var/spool/postfix/private/auth {
    user = postfix
    mode = 0600
  }
}
protocol lmtp {
  mail_plugins = sieve quota
}
plugin {
  sieve = ~/.dovecot.sieve
  quota = maildir:User quota
  quota_rule = *:storage=1M
}
END
dovecot
postconf -M 'submission/inet=submission inet n - n - - smtpd -o syslog_name=postfix/submission -o smtpd_sasl_auth_enable=yes -o smtpd_client_restrictions=permit_sasl_authenticated,reject'
mta mail.example.org virtual_mailbox_domains=example.org virtual_transport=lmtp:unix:private/dovecot-lmtp \
    smtpd_sasl_type=dovecot smtpd_sasl_path=private/auth 'relayhost=[out.example.org]' \
    'transport_maps=inline:{ { lists.example.org = smtp:[lists.example.org] } }'
ready
