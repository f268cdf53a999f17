# The list host: Mailman 3 behind Postfix, one message for each subscriber (VERP).  Stamps have whole seconds.
. /common.sh
stamps=RSYSLOG_TraditionalFileFormat
logging
cat >/etc/mailman3/mailman.cfg <<'END'
[mailman]
site_owner: postmaster@example.org
layout: debian
[paths.debian]
var_dir: /var/lib/mailman3
log_dir: /var/log/mailman3
lock_dir: /run/mailman3/lock
pid_file: /run/mailman3/master.pid
bin_dir: /usr/lib/mailman3/bin
list_data_dir: /var/lib/mailman3/lists
queue_dir: /var/lib/mailman3/queue
data_dir: /var/lib/mailman3/data
cache_dir: /var/lib/mailman3/cache
template_dir: /var/lib/mailman3/templates
messages_dir: /var/lib/mailman3/messages
archive_dir: /var/lib/mailman3/archives
ext_dir: /etc/mailman3
etc_dir: /etc/mailman3
[database]
class: mailman.database.sqlite.SQLiteDatabase
url: sqlite:////var/lib/mailman3/data/mailman.db
[mta]
incoming: mailman.mta.postfix.LMTP
outgoing: mailman.mta.deliver.deliver
lmtp_host: 127.0.0.1
lmtp_port: 8024
smtp_host: 127.0.0.1
smtp_port: 25
configuration: python:mailman.config.postfix
verp_delivery_interval: 1
verp_personalized_deliveries: yes
verp_confirmations: yes
END
mkdir -p /run/mailman3/lock
chown -R list:list /run/mailman3 /var/log/mailman3 /var/lib/mailman3
mailman() { runuser -u list -- /usr/bin/mailman -C /etc/mailman3/mailman.cfg "$@"; }
mailman create -d staff@lists.example.org
printf '%s\n' alice@example.org bob@example.org eve@example.net gone@example.net >/tmp/members
mailman addmembers --no-welcome-msg /tmp/members staff@lists.example.org
mailman aliases
mailman start
listening 8024
maps=hash:/var/lib/mailman3/data/postfix_lmtp
mta lists.example.org "transport_maps=$maps, inline:{ { example.org = smtp:[mail.example.org] } }" \
    "relay_recipient_maps=$maps" recipient_delimiter=+ relay_domains=lists.example.org 'relayhost=[out.example.org]'
ready
