#!/bin/sh
# The first process of a host: its file system and name, then its programs.  Called by make.sh.
set -eu
place=$1 lower=$2 host=$3 name=$4
system=$place/system
mount --make-rprivate /
mount -t overlay overlay -o "lowerdir=$lower,upperdir=$place/changed,workdir=$place/work" "$system"
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
hostname "$name"
exec chroot "$system" /bin/sh "/$host.sh"
