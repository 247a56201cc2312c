#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: p2ptrace export serves what p2ptrace trace sees in the same run: the mappings of each pair,
# fallbacks by reason, durations, and the decisions.  promtool and Prometheus accept it.  The file
# for node_exporter has the same values.  It needs five capabilities only.  Clients that open many
# connections do not shut Prometheus out.
# Requires: p2pmem series with RDMA_RXE_P2PDMA_TEST, p2ptrace built with libmicrohttpd, fio, nvme,
# rdma, curl, prometheus, promtool.

# shellcheck disable=SC2034 # read by guest-test.sh
TOPOLOGY=switch TIMEOUT=900
# shellcheck source=tests/lib/guest-test.sh
. "${BASH_SOURCE[0]%/*}/../lib/guest-test.sh"
require_p2pmem
require_p2ptrace
for tool in curl prometheus promtool; do
	command -v $tool >/dev/null || skip_all "$tool is not installed"
done

plan 24

url=http://127.0.0.1:9737
page=/tmp/page
scrape() { curl -sS --max-time 60 "$@" $url/metrics >$page; }
# sample NAME[LABELS]: the value of a sample of the page
sample() { awk -v name="$1" '$1 == name { print $2 }' $page; }
# sum NAME: over all samples of this name
sum() { awk -v name="$1" 'index($1, name "{") == 1 || $1 == name { n += $2 }
	END { printf "%d\n", n }' $page; }

ip link set lo up
started() { grep -qs 'p2ptrace: exporting' /tmp/export.err; }
file=/tmp/p2ptrace.prom
# As the systemd unit runs it
capabilities=-all,+bpf,+perfmon,+sys_admin,+dac_read_search,+syslog
env --default-signal=INT setpriv --bounding-set="$capabilities" \
	"$P2PTRACE" export --listen 127.0.0.1:9737 --textfile $file --interval 0.2 \
	2>/tmp/export.err &
export_pid=$!
wait_for 300 started || bail "p2ptrace export: $(cat /tmp/export.err)"
like 'it says where' "$(cat /tmp/export.err)" "at $url/metrics and to the file"

provider=$(pci_of cmb0) client=$(pci_of plain0) far=$(pci_of far0)
rxe_up
trace_start
nvmet_export lab plain0 1 || bail 'cannot export plain0'
nvmet_connect lab
ok 'fio wrote and verified' fio_verify "$(remote_drive lab)" 16k 251
# The data of this command comes with it
reason=$(reason_of_inline_data lab)
blkdiscard -o 1048576 -l 1048576 "$(remote_drive lab)" || bail 'cannot discard a range'
nvmet_disconnect lab
trace_stop

sleep 1.1	# values are at most one second old
ok 'the page is served' scrape
ok 'promtool accepts it' promtool check metrics <$page
for name in "$client" "$(nic_pci)"; do
	labels="{provider=\"$provider\",client=\"$name\",map=\"bus_addr\"}"
	is "mappings of $name" "$(sample "p2ptrace_pair_maps_total$labels")" \
		"$(trace_count ".event == \"p2pdma_map\" and .client == \"$name\"")"
done
is 'their size' "$(sum p2ptrace_pair_map_bytes_total)" \
	"$(jq -n '[inputs | select(.event == "p2pdma_map") | .size] | add' $trace_json)"
is 'all mappings' "$(sample p2ptrace_maps_total)" "$(trace_count '.event == "p2pdma_map"')"
is 'fallbacks by reason' "$(sample "p2ptrace_fallbacks_by_reason_total{reason=\"$reason\"}")" \
	"$(trace_count ".event == \"nvmet_p2pmem_fallback\" and .reason == \"$reason\"")"
is 'each buffer has a duration' "$(sum p2ptrace_held_seconds_count)" \
	"$(trace_count '.event == "p2pmem_free"')"
is 'each mapping has a duration' "$(sum p2ptrace_mapped_seconds_count)" \
	"$(trace_count '.event == "p2pdma_unmap"')"
is 'nothing was lost' "$(sum p2ptrace_lost_events_total)" 0
is 'it is up' "$(sample p2ptrace_up)" 1
is 'a direct path' "$(sample "p2ptrace_path{provider=\"$provider\",client=\"$client\"}")" 2
is 'a refused path' "$(sample "p2ptrace_path{provider=\"$provider\",client=\"$far\"}")" 0
ok 'OpenMetrics is served to clients that accept it' \
	scrape -H 'Accept: application/openmetrics-text'
is 'it has its end' "$(tail -n 1 $page)" '# EOF'

ok 'promtool accepts the file' promtool check metrics <$file
is 'the file has the same mappings' \
	"$(awk '$1 == "p2ptrace_maps_total" { print $2 }' $file)" \
	"$(trace_count '.event == "p2pdma_map"')"

# Idle connections, while Prometheus scrapes
for ((i = 0; i < 200; i++)); do
	exec {fd}<>/dev/tcp/127.0.0.1/9737
	((i % 2)) || printf 'GET /metr' >&"$fd"
done
mkdir /tmp/prometheus
cat >/tmp/prometheus.yml <<END
global: {scrape_interval: 1s}
rule_files: [$PWD/tools/p2ptrace/export/alerts.yml]
scrape_configs:
  - job_name: p2ptrace
    static_configs: [targets: ['127.0.0.1:9737']]
END
prometheus --config.file=/tmp/prometheus.yml --storage.tsdb.path=/tmp/prometheus \
	--web.listen-address=127.0.0.1:9090 >/tmp/prometheus.log 2>&1 &
prometheus_pid=$!
# query EXPRESSION: the value of the first sample
query() {
	curl -sS --max-time 60 --data-urlencode "query=$1" http://127.0.0.1:9090/api/v1/query |
		jq -r '.data.result[0].value[1] // empty'
}
scraped() { [ "$(query 'max_over_time(up[10m]) and p2ptrace_up' 2>/dev/null)" = 1 ]; }
ok 'Prometheus scrapes it' wait_for 300 scraped
is 'Prometheus has the mappings' "$(query 'sum(p2ptrace_pair_maps_total)')" \
	"$(trace_count '.event == "p2pdma_map"')"
is 'Prometheus knows the types' \
	"$(curl -sS 'http://127.0.0.1:9090/api/v1/metadata?metric=p2ptrace_held_seconds' |
		jq -r '.data[][0].type')" histogram
kill $prometheus_pid

kill -INT $export_pid
wait $export_pid
is 'it ends with status 0' $? 0
is 'the file says that it ended' "$(awk '$1 == "p2ptrace_up" { print $2 }' $file)" 0
