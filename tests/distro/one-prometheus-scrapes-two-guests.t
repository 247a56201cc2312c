#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: one Prometheus scrapes p2ptrace export in two guests, tells them apart by their instance,
# adds them up, and alerts when one of them goes away.
# Requires: the kernel with the p2pmem series, p2ptrace built with libmicrohttpd, prometheus, curl,
# jq, fio, nvme, rdma; it takes some minutes.

# shellcheck disable=SC2317 # wait_for calls functions by their names

top=$(cd -- "${BASH_SOURCE[0]%/*}/../.." && pwd -P)

# ---- in a guest: the number of blocks ----------------------------------------
if [ -n "${LAB_GUEST:-}" ]; then
	# shellcheck source=tests/lib/guest.sh
	. "$top/tests/lib/guest.sh"
	# The network card on the root bus is the one that leads to the host
	for dir in /sys/class/net/*; do
		[[ $(readlink "$dir/device") != *:00:1d.0 ]] || host=${dir##*/}
	done
	nic() {
		local dir
		for dir in /sys/class/net/*; do
			[ ! -e "$dir/device" ] || [ "${dir##*/}" = "$host" ] || echo "${dir##*/}"
		done
	}
	ip link set "$host" up
	ip address add 10.0.2.15/24 dev "$host"
	"$P2PTRACE" export --listen 10.0.2.15:9737 2>/tmp/export.err &
	started() { grep -qs 'exporting' /tmp/export.err; }
	wait_for 300 started || bail "p2ptrace export: $(cat /tmp/export.err)"
	rxe_up
	nvmet_export lab plain0 1 || bail 'cannot export plain0'
	nvmet_connect lab
	fio_verify "$(remote_drive lab)" 16k "$1" || bail 'fio failed'
	nvmet_disconnect lab
	sleep 2
	curl -sS http://10.0.2.15:9737/metrics | sed -n 's/^p2ptrace_maps_total /maps /p'
	sleep 1000
	exit
fi

# shellcheck source=tests/lib/tap.sh
. "$top/tests/lib/tap.sh"
for tool in prometheus curl jq; do
	command -v $tool >/dev/null || skip_all "$tool is not installed"
done

# shellcheck source=kernel-config/base.sh
. "$top/kernel-config/base.sh" || exit
[ -e "${LAB_KERNEL:-$top/build/$BASE/kernel/arch/x86/boot/bzImage}" ] ||
	skip_all "there is no kernel with the series: run 'make kernel'"

plan 7

scratch=$(mktemp -d)
pids=()
trap 'kill "${pids[@]}" 2>/dev/null; wait; rm -rf "$scratch"' EXIT
self=$top/tests/distro/${BASH_SOURCE[0]##*/}
ports=(19737 19738) blocks=(53 101)
for i in 0 1; do
	"$top/tests/vm/run" --forward "${ports[i]}" --timeout 1200 -- "$self" "${blocks[i]}" \
		>"$scratch/guest$i" 2>"$scratch/guest$i.err" &
	pids+=($!)
done

cat >"$scratch/prometheus.yml" <<END
global: {scrape_interval: 2s, evaluation_interval: 2s}
rule_files: [$top/tools/p2ptrace/export/alerts.yml]
scrape_configs:
  - job_name: p2ptrace
    static_configs: [targets: ['127.0.0.1:${ports[0]}', '127.0.0.1:${ports[1]}']]
END
prometheus --config.file="$scratch/prometheus.yml" --storage.tsdb.path="$scratch/tsdb" \
	--web.listen-address=127.0.0.1:19090 >"$scratch/prometheus.log" 2>&1 &
pids+=($!)
# query EXPRESSION: the value of the first sample
query() {
	curl -sS --max-time 30 --data-urlencode "query=$1" http://127.0.0.1:19090/api/v1/query \
		2>/dev/null | jq -r '.data.result[0].value[1] // empty'
}

# What each guest says about itself
maps() { sed -n 's/^maps //p' "$scratch/guest$1"; }
both_done() { [ -n "$(maps 0)" ] && [ -n "$(maps 1)" ]; }
ok 'both guests did their I/O' wait_for 900 both_done ||
	diag "$(tail -n 5 "$scratch"/guest*)"
of_guest() { echo "{instance=\"127.0.0.1:${ports[$1]}\"}"; }
agrees() { [ "$(query "p2ptrace_maps_total$(of_guest "$1")")" = "$(maps "$1")" ]; }
for i in 0 1; do
	ok "Prometheus has the $(maps $i) mappings of guest $i" wait_for 120 agrees $i
done
ok 'each block was mapped twice, at least' \
	[ "$(maps 0)" -ge 106 -a "$(maps 1)" -ge 202 ]
is 'it adds them up' "$(query 'sum(p2ptrace_maps_total)')" "$(($(maps 0) + $(maps 1)))"
is 'two machines have a direct path' \
	"$(query 'count(count by (instance) (p2ptrace_path == 2))')" 2

kill "${pids[0]}"
down() { [ "$(query "up$(of_guest 0)")" = 0 ]; }
ok 'Prometheus notices that one has gone' wait_for 120 down

exit $((tap_failed > 0))
