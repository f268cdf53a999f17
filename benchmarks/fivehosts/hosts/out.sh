# Sends what the site has to say to the world, signed by OpenDKIM; what comes back for the site goes to the filter.
. /common.sh
logging
mkdir -p /keys
opendkim-genkey -b 1024 -D /keys -d example.org -s lab
chown -R opendkim /keys
cat >/etc/opendkim.conf <<'END'
Syslog yes
SyslogSuccess yes
Mode s
Domain example.org,lists.example.org
Selector lab
KeyFile /keys/lab.private
Socket inet:8891@127.0.0.1
InternalHosts 0.0.0.0/0
UserID opendkim
END
opendkim
mta out.example.org smtpd_milters=inet:127.0.0.1:8891 non_smtpd_milters=inet:127.0.0.1:8891 \
    'transport_maps=inline:{ { example.org = smtp:[mail.example.org] }, { lists.example.org = smtp:[lists.example.org] } }'
ready
