#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: what tests/guest/debian-kernel-shows-each-block-request.t shows, on each kernel of Debian's
# archive since 6.17, which is when NVMe drives began to map block requests.
# Requires: the archive, p2ptrace, fio.

top=$(cd -- "${BASH_SOURCE[0]%/*}/../.." && pwd -P)
# shellcheck source=tests/lib/tap.sh
. "$top/tests/lib/tap.sh"

mapfile -t versions < <("$top/tests/vm/debian-kernel" --list |
	awk -F. '$1 > 6 || ($1 == 6 && $2 >= 17) { print $1 "." $2 }' | sort -uV)
[ ${#versions[@]} -gt 0 ] || skip_all "Debian's archive has no such kernel, or cannot be reached"
plan ${#versions[@]}
for version in "${versions[@]}"; do
	output=$(DEBIAN_KERNEL=debian:$version \
		"$top/tests/guest/debian-kernel-shows-each-block-request.t")
	status=$?
	if [[ $output =~ SKIP\ (.*) ]]; then
		skip 1 "${BASH_REMATCH[1]}"
	else
		ok "Linux $version: every point" [ $status = 0 ] || diag "$output"
	fi
done

exit $((tap_failed > 0))
