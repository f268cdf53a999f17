# Takes mail for the site from outside and gives it to the filter.  Long queue ids.
. /common.sh
logging
cat >/etc/postfix/recipients <<'END'
alice@example.org x
bob@example.org x
carol@example.org x
dave@example.org x
erin@example.org x
former@example.org x
@lists.example.org x
END
mta mx.example.org enable_long_queue_ids=yes 'relay_domains=example.org lists.example.org' \
    'relay_transport=smtp:[filter.example.org]' relay_recipient_maps=texthash:/etc/postfix/recipients \
    'relayhost=[out.example.org]'
ready
