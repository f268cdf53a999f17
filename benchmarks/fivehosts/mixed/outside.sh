# The rest of the world: example.net's mail, and the DNS.
. /common.sh
logging
cat >/etc/dnsmasq.conf <<END
no-resolv
no-hosts
local=/#/
host-record=mail.example.net,198.51.100.25
host-record=postfix.example.org,192.0.2.10
host-record=exim.example.org,192.0.2.20
host-record=sendmail.example.org,192.0.2.30
host-record=opensmtpd.example.org,192.0.2.40
host-record=last.example.org,192.0.2.50
mx-host=example.net,mail.example.net,10
END
dnsmasq --user=root --listen-address=198.51.100.25 --bind-interfaces
cat >/etc/postfix/recipients <<'END'
gone@example.net 550 5.1.1 This account was closed
slow@example.net 450 4.2.0 Greylisted, please try again later
END
mta mail.example.net relay_domains=example.net relay_transport=discard: \
    'smtpd_recipient_restrictions=check_recipient_access texthash:/etc/postfix/recipients,permit_mynetworks,reject_unauth_destination'
ready
