# What the hosts have in common.  Read by each host's own file.
set -eu
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8
stamps=RSYSLOG_FileFormat # Debian's: RFC 3339, with microseconds
clock=                    # how far the host's clock is off, for the stamps of its log

logging() {
    cat >/etc/rsyslog.conf <<END
module(load="imuxsock" SysSock.UseSysTimeStamp="off")
global(preserveFQDN="on")
mail.* action(type="omfile" file="/var/log/mail.log" template="$stamps")
END
    # rsyslogd stamps lines itself, when it gets them.
    if [ -n "$clock" ]; then
        LD_PRELOAD=/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1 FAKETIME=$clock rsyslogd
    else
        rsyslogd
    fi
    echo "nameserver 198.51.100.25" >/etc/resolv.conf
    printf '127.0.0.1 localhost\n' >/etc/hosts
    echo example.org >/etc/mailname
}

listening() { # wait until something listens at a port of this host
    until ss -Hltn "sport = :$1" | grep -q .; do
        sleep 0.5
    done
}

mta() { # settings of this host's Postfix
    cp /usr/share/postfix/main.cf.debian /etc/postfix/main.cf
    postconf -e "myhostname=$1" mydestination= inet_interfaces=all inet_protocols=ipv4 \
        "mynetworks=127.0.0.0/8 192.0.2.0/24" alias_maps= alias_database= local_recipient_maps= \
        compatibility_level=3.6 smtputf8_enable=no notify_classes= smtpd_tls_security_level=none \
        minimal_backoff_time=20s queue_run_delay=20s
    postconf -F '*/*/chroot=n'
    shift
    [ $# = 0 ] || postconf -e "$@"
    mkdir -p /var/spool/postfix/pid
    postfix start
}

ready() {
    touch /ready
    exec sleep infinity
}
