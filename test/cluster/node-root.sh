#!/bin/sh
# Process 1 of a node. Has mounts, processes and a network of its own, and makes of the machine's files a node's: what is
# written below /etc, /opt, /var and /usr/lib goes to the node's folder, /run is empty, and mounts are shared with containers as kubelet
# wants them. Then waits, and takes everything with it when it ends.
# Usage: node-root.sh NAME FOLDER FILE-THAT-APPEARS-WHEN-READY
set -eu
folder=$2
hostname "$1"
for tree in etc opt var usr/lib; do
  mkdir -p "$folder/$tree/files" "$folder/$tree/work"
  mount -t overlay overlay -o "lowerdir=/$tree,upperdir=$folder/$tree/files,workdir=$folder/$tree/work" "/$tree"
done
# Container layers are overlays themselves, which cannot lie on one.
for part in lib/containerd lib/kubelet log/pods; do
  mkdir -p "$folder/real/$part" "/var/$part"
  mount --bind "$folder/real/$part" "/var/$part"
done
# What the machine itself has of container runtimes is not the node's.
rm -rf /etc/cni /opt/cni /usr/lib/cni /etc/containerd /etc/crio
mkdir -p /etc/cni/net.d /opt/cni/bin /usr/lib/cni
mount -t tmpfs tmpfs /run
mkdir -p /run/netns /run/lock
mount -t proc proc /proc
# sysfs shows the links of the network namespace in which it was mounted.
mkdir -p "$folder/cgroup"
mount --rbind /sys/fs/cgroup "$folder/cgroup"
mount -t sysfs sysfs /sys
mount --rbind "$folder/cgroup" /sys/fs/cgroup
umount -l "$folder/cgroup"
# A kernel without it has no programs to pin either.
mount -t bpf bpf /sys/fs/bpf 2>/dev/null || true
# kubelet writes these settings of the whole machine unless they have the values it wants: here it finds them.
for setting in vm/overcommit_memory=1 vm/panic_on_oom=0 kernel/panic=10 kernel/panic_on_oops=1 \
  kernel/keys/root_maxkeys=1000000 kernel/keys/root_maxbytes=25000000; do
  path=/proc/sys/${setting%=*}
  [ -e "$path" ] || continue
  file=$folder/$(echo "${setting%=*}" | tr / -)
  echo "${setting#*=}" >"$file"
  mount --bind "$file" "$path"
done
# Last, because a mount that is shared takes its copies with it when it is taken away.
mount --make-rshared /
touch "$3"
trap 'exit 0' TERM
# Waiting for one child is waiting for all: orphans of the node end here.
sleep infinity &
wait
