#!/bin/sh
# In a private network and mount namespace: namespace.sh FOLDER DNSMASQ COMMAND...
# The loopback interface alone, with ADDRESSES, a resolv.conf that names it, dnsmasq there, then
# the command.
set -e
folder=$1 dnsmasq=$2
shift 2
ip link set lo up
for address in $ADDRESSES; do
    case $address in *:*) no="nodad" ;; *) no="" ;; esac
    ip addr add "$address" dev lo $no
done
mount --bind "$folder/resolv.conf" /etc/resolv.conf
mount --bind "$folder/hosts" /etc/hosts
mount --bind "$folder/nsswitch.conf" /etc/nsswitch.conf
if [ -n "$dnsmasq" ]; then
    "$dnsmasq" --no-daemon --conf-file=/dev/null --pid-file= \
        --listen-address=127.0.0.1 --bind-interfaces --no-resolv --no-hosts \
        --addn-hosts="$folder/names" --cname=alias.test,multi.test --local=/test/ \
        --local=/in-addr.arpa/ >"$folder/dnsmasq.log" 2>&1 &
    trap 'kill $!' EXIT
    for _ in $(seq 100); do
        grep -qs started "$folder/dnsmasq.log" && break
        sleep 0.05
    done
fi
"$@"
