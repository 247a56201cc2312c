# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# removal.sh - a provider goes away while it is used as hard as it can be: by
# hosts that write through an exported drive and verify what they read, and by
# threads on every CPU that allocate, map, free, find and bind.
#
# A test sources this below guest-test.sh, defines take_away, which is to have
# the provider gone for good when it returns, and calls removal_under_load,
# which has 16 points, with the PCI address of the provider.

# shellcheck source=tests/lib/guest.sh
declare -F core >/dev/null || . "${BASH_SOURCE[0]%/*}/guest.sh"
require_p2pmem
require_p2ptrace

# ios DEVICE: how many reads and writes it has done
ios() {
	local stat
	read -ra stat <"/sys/block/${1##*/}/stat"
	echo $((stat[0] + stat[4]))
}

# ios_above DEVICE N
ios_above() { [ "$(ios "$1")" -gt "$2" ]; }

removal_under_load() {
	local provider=$1 remote fio_pid start

	rxe_up
	nvmet_export lab plain0 1 || bail 'cannot export plain0'
	nvmet_connect lab
	remote=$(remote_drive lab)
	trace_start --event p2pmem_dev_del,p2pmem_dev_drained,p2pmem_drain_stall,nvmet_p2pmem_use,nvmet_p2pmem_fallback
	# Until it is interrupted; then it ends well, unless there was an error
	env --default-signal=INT fio --name=load --filename="$remote" --rw=write --bs=16k \
		--size=8m --time_based --runtime=3600 --direct=1 --ioengine=libaio --iodepth=8 \
		--verify=crc32c --verify_fatal=1 --verify_backlog=61 --verify_state_save=0 \
		--output-format=json --output="$fio_json" &
	fio_pid=$!
	ok 'I/O is under way' wait_for 60 ios_above "$remote" 500
	stress_start "$provider" "$(pci_of plain0)" "$(nic_pci)"
	ok 'and still is, with the stress' wait_for 60 ios_above "$remote" $(($(ios "$remote") + 500))

	start=$SECONDS
	ok 'the provider can be taken away' take_away
	diag "that took $((SECONDS - start)) s"
	ok 'it lends nothing any more' eval "! p2pmem_of $provider >/dev/null"
	ok 'I/O goes on' wait_for 60 ios_above "$remote" $(($(ios "$remote") + 500))

	kill -INT "$fio_pid"
	wait "$fio_pid"
	# Its account comes after a line on the signal, if that was quick enough
	sed -i '/^{/,$!d' "$fio_json"
	is 'fio has seen no error' "$(jq '.jobs[0].error' "$fio_json")" 0
	ok 'it has read and verified' [ "$(jq '.jobs[0].read.total_ios' "$fio_json")" -gt 500 ]
	stress_stop
	ok 'the stress has allocated and mapped' \
		[ "$(($(field allocs "$stress") > 100 && $(field maps "$stress") > 100))" = 1 ]
	ok 'its threads were told of the removal' [ "$(field told "$stress")" -gt 0 ]
	is 'no page was ever handed out twice' "$(field overlaps "$stress")" 0
	is 'nor changed by somebody else' "$(field corrupted "$stress")" 0
	is 'and nothing else was wrong' "$(field errors "$stress")" 0
	nvmet_disconnect lab
	trace_stop

	is 'the removal began once' "$(trace_values .provider '.event == "p2pmem_dev_del"')" "$provider"
	is 'and ended' "$(trace_count '.event == "p2pmem_dev_drained"')" 1
	diag "drained in $(trace_values '.waited_ns / 1e6' '.event == "p2pmem_dev_drained"') ms"
	is 'without a stall' "$(trace_count '.event == "p2pmem_drain_stall"')" 0
	like 'requests used peer memory, and fell back after that' \
		"$(trace_values .event 'true') $(trace_values .reason '.event == "nvmet_p2pmem_fallback"')" \
		'nvmet_p2pmem_use.*removed'
}
