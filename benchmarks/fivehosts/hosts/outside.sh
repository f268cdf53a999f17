# The rest of the world: example.net's mail, and the DNS.  Not one of the five.
. /common.sh
logging
mkdir -p /keys
opendkim-genkey -b 1024 -D /keys -d example.org -s lab
key=$(tr -d '\n\t" ()' </keys/lab.txt | sed 's/.*\(v=DKIM1.*p=[^;]*\);.*/\1/')
cat >/etc/dnsmasq.conf <<END
no-resolv
no-hosts
local=/#/
host-record=mail.example.net,198.51.100.25
host-record=mx.example.org,192.0.2.10
host-record=filter.example.org,192.0.2.20
host-record=mail.example.org,192.0.2.30
host-record=out.example.org,192.0.2.40
host-record=lists.example.org,192.0.2.50
mx-host=example.org,mx.example.org,10
mx-host=lists.example.org,mx.example.org,10
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
