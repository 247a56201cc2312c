# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# runner-test.sh - functions for the tests of the runner, which run on the host.

lib=$(cd -- "${BASH_SOURCE[0]%/*}" && pwd -P)
# shellcheck source=tests/lib/tap.sh
. "$lib/tap.sh"
top=${lib%/tests/lib}
# shellcheck source=kernel-config/base.sh
. "$top/kernel-config/base.sh" || exit

# Not in /tmp, which is another one in the guest
mkdir -p "$top/build/vm"
scratch=$(mktemp -d "$top/build/vm/test.XXXXXXXX") || exit
trap 'rm -rf "$scratch"' EXIT

# lab [RUNNER ARGUMENT]...: run the runner.  Sets $status and leaves $scratch/out, err and log.
lab() {
	"$top/tests/vm/run" --log "$scratch/log" "$@" >"$scratch/out" 2>"$scratch/err"
	# shellcheck disable=SC2034 # for the test
	status=$?
}
