#!/bin/sh
# Five mail hosts of one site on one machine, with real programs, and the logs they write.
#
#     benchmarks/fivehosts/make.sh WORK OUT      as root, on Debian 12 with mmdebstrap and iproute2
#
# WORK gets a Debian system (500 MB, made once and used again) and what each host changes of it; OUT gets the
# logs, a folder for each host.  A host is a process tree with a network, a name, process ids and a file
# system of its own; all of them hang on one wire that leads nowhere else.  Takes about three minutes, and
# the making of the system as long again.  README.md tells who does what.
set -eu
work=$(realpath -m "$1") out=$(realpath -m "$2")
here=$(dirname "$(realpath "$0")")
wire=mailscope-wire
hosts="outside mx filter mail out lists"

packages=postfix,rsyslog,dovecot-core,dovecot-lmtpd,dovecot-sieve,amavisd-new,spamassassin,clamav-daemon
packages=$packages,mailman3,dbconfig-no-thanks,dnsmasq-base,iproute2,libfaketime,opendkim,opendkim-tools,procps

address() { # of a host on the wire
    case $1 in
    mx) echo 192.0.2.10 ;; filter) echo 192.0.2.20 ;; mail) echo 192.0.2.30 ;;
    out) echo 192.0.2.40 ;; lists) echo 192.0.2.50 ;; outside) echo 198.51.100.25 ;;
    esac
}

pid_of() { # of a host's first process
    pgrep -P "$(cat "$work/hosts/$1/pid")"
}

inside() { # run a command in a host
    host=$1
    shift
    nsenter --target "$(pid_of "$host")" --mount --uts --net --pid --root --wd "$@"
}

down() {
    for host in $hosts; do
        # The end of the first process ends all others of its host.
        [ -s "$work/hosts/$host/pid" ] && kill "$(cat "$work/hosts/$host/pid")" 2>/dev/null || true
        ip netns del "mailscope-$host" 2>/dev/null || true
    done
    ip netns del "$wire" 2>/dev/null || true
}

up() {
    host=$1
    space=mailscope-$host
    rm -rf "${work:?}/hosts/$host"
    mkdir -p "$work/hosts/$host/changed" "$work/hosts/$host/work" "$work/hosts/$host/system"
    ip netns add "$space"
    ip -n "$space" link add eth0 type veth peer name "$host" netns "$wire"
    ip -n "$wire" link set "$host" master bridge up
    ip -n "$space" link set lo up
    ip -n "$space" address add "$(address "$host")/24" dev eth0
    ip -n "$space" link set eth0 up
    for net in 192.0.2.0/24 198.51.100.0/24; do
        ip -n "$space" route replace "$net" dev eth0
    done
    ip netns exec "$space" unshare --mount --uts --pid --fork --kill-child \
        "$here/boot.sh" "$work" "$host" "$here" >"$work/hosts/$host/boot.log" 2>&1 &
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
if [ ! -e "$work/root/etc/debian_version" ]; then
    mmdebstrap --variant=apt --aptopt='APT::Install-Recommends "false"' --include="$packages" bookworm "$work/root"
fi
trap down EXIT
trap 'exit 1' INT TERM
down
ip netns add "$wire"
ip -n "$wire" link add bridge type bridge
ip -n "$wire" link set bridge up
for host in $hosts; do
    up "$host"
done
inside outside python3 /send.py
# Mailman looks at its queues every second, the queue managers every twenty.
sleep 60
mkdir -p "$out"
for host in mx filter mail out lists; do
    mkdir -p "$out/$host"
    install -m 644 "$work/hosts/$host/changed/var/log/mail.log" "$out/$host/"
done
install -m 644 "$work"/hosts/lists/changed/var/log/mailman3/*.log "$out/lists/"
find "$out" -type f -empty -delete
