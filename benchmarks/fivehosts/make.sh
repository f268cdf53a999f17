#!/bin/sh
# Several mail hosts of one site on one machine, with real programs, and the logs they write.
#
#     benchmarks/fivehosts/make.sh WORK OUT [SITE]    as root, on Debian 12 with mmdebstrap and iproute2
#
# WORK gets a Debian system (500 MB, made once and used again) and what each host changes of it; OUT gets the
# logs, a folder for each host; SITE is hosts (the five) or mixed.  A host is a process tree with a network, a
# name, process ids and a file system of its own; all of them hang on one wire that leads nowhere else.  Takes
# about three minutes, and the making of the system as long again.  README.md tells who does what.
set -eu
here=$(dirname "$(realpath "$0")")
work=$(realpath -m "$1") out=$(realpath -m "$2") site=$here/${3:-hosts}
wire=mailscope-wire

packages=postfix,rsyslog,dovecot-core,dovecot-lmtpd,dovecot-sieve,amavisd-new,spamassassin,clamav-daemon
packages=$packages,mailman3,dbconfig-no-thanks,dnsmasq-base,iproute2,libfaketime,opendkim,opendkim-tools,procps

of_site() { # a column of the site's table: for one host, or for all
    awk -v host="${2:-}" -v column="$1" '!/^#/ && (host == "" || $1 == host) {
        if (column < 5) print $column; else { $1 = $2 = $3 = $4 = ""; print } }' "$site/site"
}

inside() { # run a command in a host
    host=$1
    shift
    nsenter --target "$(pgrep -P "$(cat "$work/hosts/$host/pid")")" --mount --uts --net --pid --root --wd "$@"
}

down() {
    for host in $(of_site 1); do
        # The end of the first process ends all others of its host.
        [ -s "$work/hosts/$host/pid" ] && kill "$(cat "$work/hosts/$host/pid")" 2>/dev/null || true
        ip netns del "mailscope-$host" 2>/dev/null || true
    done
    ip netns del "$wire" 2>/dev/null || true
}

layer() { # the system with a host's own packages, which may take the place of Postfix
    layer=$work/layers/$1
    [ ! -e "$layer/done" ] || return 0
    rm -rf "$layer"
    mkdir -p "$layer/changed" "$layer/work" "$layer/system"
    unshare --mount --fork sh -eu <<END
mount -t overlay overlay -o "lowerdir=$work/base,upperdir=$layer/changed,workdir=$layer/work" "$layer/system"
mount -t proc proc "$layer/system/proc"
mount --bind /dev "$layer/system/dev"
cp /etc/resolv.conf /etc/hosts "$layer/system/etc/"
printf '#!/bin/sh\nexit 101\n' >"$layer/system/usr/sbin/policy-rc.d"
chmod 755 "$layer/system/usr/sbin/policy-rc.d"
chroot "$layer/system" apt-get update -qq >"$layer/log" 2>&1
DEBIAN_FRONTEND=noninteractive chroot "$layer/system" \\
    apt-get install -qq -y --no-install-recommends $2 >>"$layer/log" 2>&1
END
    touch "$layer/done"
}

up() {
    host=$1
    space=mailscope-$host
    own=$(of_site 5 "$host")
    lower=$work/base
    if [ -n "${own# }" ] && [ -n "$(echo $own)" ]; then
        layer "$host" "$own"
        lower=$work/layers/$host/changed:$lower
    fi
    rm -rf "${work:?}/hosts/$host"
    mkdir -p "$work/hosts/$host/changed" "$work/hosts/$host/work" "$work/hosts/$host/system"
    cp "$here/common.sh" "$site/$host.sh" "$site/send.py" "$work/hosts/$host/changed/"
    ip netns add "$space"
    ip -n "$space" link add eth0 type veth peer name "$host" netns "$wire"
    ip -n "$wire" link set "$host" master bridge up
    ip -n "$space" link set lo up
    ip -n "$space" address add "$(of_site 2 "$host")/24" dev eth0
    ip -n "$space" link set eth0 up
    for net in 192.0.2.0/24 198.51.100.0/24; do
        ip -n "$space" route replace "$net" dev eth0
    done
    ip netns exec "$space" unshare --mount --uts --pid --fork --kill-child \
        "$here/boot.sh" "$work/hosts/$host" "$lower" "$host" "$(of_site 3 "$host")" >"$work/hosts/$host/boot.log" 2>&1 &
    echo $! >"$work/hosts/$host/pid"
    for _ in $(seq 240); do
        [ -e "$work/hosts/$host/changed/ready" ] && return
        sleep 0.5
    done
    echo "fivehosts: $host does not come up, see $work/hosts/$host/boot.log" >&2
    exit 1
}

[ "$(id -u)" = 0 ] || { echo "fivehosts: it needs root, for network namespaces" >&2; exit 2; }
mkdir -p "$work"
if [ ! -e "$work/base/etc/debian_version" ]; then
    mmdebstrap --variant=apt --aptopt='APT::Install-Recommends "false"' --include="$packages" bookworm "$work/base"
fi
trap down EXIT
trap 'exit 1' INT TERM
down
ip netns add "$wire"
ip -n "$wire" link add bridge type bridge
ip -n "$wire" link set bridge up
for host in $(of_site 1); do
    up "$host"
done
inside outside python3 /send.py
# Mailman looks at its queues every second, the queue managers every twenty.
sleep 60
for host in $(of_site 1); do
    [ "$(of_site 4 "$host")" = kept ] || continue
    mkdir -p "$out/$host"
    # Exim's and Mailman's own files stand beside the host's log.
    for log in mail.log exim4/mainlog mailman3/mailman.log mailman3/smtp.log mailman3/bounce.log; do
        log=$work/hosts/$host/changed/var/log/$log
        [ ! -s "$log" ] || install -m 644 "$log" "$out/$host/"
    done
done
