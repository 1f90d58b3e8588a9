# A network of its own, with an address for each: the host's resolver, then the program.
# Arguments: log, python, resolver, the program's command.
set -e
ip link set lo up multicast on
ip address add 10.9.8.1/24 dev lo
ip address add 10.9.8.2/24 dev lo
ip route add 224.0.0.0/4 dev lo src 10.9.8.2
log=$1 python=$2 resolver=$3
shift 3
: >"$log"
"$python" "$resolver" 10.9.8.1 >>"$log" 2>&1 &
i=0
while [ $i -lt 100 ] && ! grep -q ready "$log"; do
	sleep 0.1
	i=$((i + 1))
done
exec "$@"
