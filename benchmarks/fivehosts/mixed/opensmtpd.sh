# OpenSMTPD.
. /common.sh
logging
cat >/etc/smtpd.conf <<'END'
listen on 0.0.0.0 hostname opensmtpd.example.org
action "next" relay host smtp://last.example.org helo opensmtpd.example.org
match from any for any action "next"
END
mkdir -p /run/opensmtpd
smtpd
listening 25
ready
