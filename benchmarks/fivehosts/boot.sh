#!/bin/sh
# The first process of a host: its file system and name, then its programs.  Called by make.sh.
set -eu
work=$1 host=$2 here=$3
changes=$work/hosts/$host
system=$changes/system
mount --make-rprivate /
cp "$here/hosts/common.sh" "$here/hosts/$host.sh" "$here/send.py" "$changes/changed/"
mount -t overlay overlay -o "lowerdir=$work/root,upperdir=$changes/changed,workdir=$changes/work" "$system"
mount -t proc proc "$system/proc"
mount -t tmpfs tmpfs "$system/run"
mount -t tmpfs tmpfs "$system/tmp" -o mode=1777
mount -t tmpfs tmpfs "$system/dev" -o mode=755
for device in null zero full random urandom tty; do
    touch "$system/dev/$device"
    mount --bind "/dev/$device" "$system/dev/$device"
done
mkdir "$system/dev/shm"
mount -t tmpfs tmpfs "$system/dev/shm" -o mode=1777
ln -s /proc/self/fd "$system/dev/fd"
case $host in
outside) name=mail.example.net ;;
filter | out) name=$host ;; # as Debian has it: the log tells the first part of the name only
*) name=$host.example.org ;;
esac
hostname "$name"
exec chroot "$system" /bin/sh "/$host.sh"
