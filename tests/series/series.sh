# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# series.sh - the commits of the series, for the tests of this directory.
#
#   commits                          the commits of the series, first one first
#   titled COMMIT                    its short hash and its subject
#   touched COMMIT [PATTERN]...      the files it adds or changes
#   changed [PATTERN]...             the files that the series adds or changes
#   added [PATTERN]...               the files that it adds
#   options COMMIT                   the options that its Kconfig files define
#
# For those that build it (in slow/):
#
#   checkout COMMIT                  have $tree hold it; only the files that differ change
#   configure OUT FRAGMENT...        make $built/OUT/.config; a later fragment wins.
#                                    What is not in the tree yet is named in $absent
#   kmake OUT TARGET...              make them there; all that make says is in $built/OUT.log
#   warnings OUT                     the warnings in that log
#   compiled OUT FILE                whether that log has FILE
#
# SERIES_TIP in the environment names another last commit than that of branch
# p2pmem in build/linux.

# shellcheck disable=SC2034 # read by those who source this

top=$(cd -- "${BASH_SOURCE[0]%/*}/../.." && pwd -P)
# shellcheck source=tests/lib/tap.sh
. "$top/tests/lib/tap.sh"

linux=$top/build/linux
tip=${SERIES_TIP:-p2pmem}

# Whoever owns the checkout, and whatever git is set to
lgit() { git -C "$linux" -c safe.directory='*' -c core.abbrev=12 -c gc.auto=0 -c core.quotePath=false "$@"; }

tip=$(lgit rev-parse -q --verify "$tip^{commit}") || bail "no series in $linux: run 'make kernel-tree'"
base=$(lgit rev-parse 'base^{commit}') || bail "no tag 'base' in $linux"

commits() { lgit rev-list --reverse "$base..$tip"; }
titled() { lgit log -1 --format='%h %s' "$1"; }
touched() { lgit diff-tree -r --no-renames --diff-filter=d --name-only "$1^" "$1" -- "${@:2}"; }
changed() { lgit diff --no-renames --diff-filter=d --name-only "$base" "$tip" -- "$@"; }
added() { lgit diff --no-renames --diff-filter=A --name-only "$base" "$tip" -- "$@"; }

# ---- building them -----------------------------------------------------------

built=$top/build/series
tree=$built/tree

# One at a time, as there is one tree; and make goes by time stamps
checkout() {
	mkdir -p "$built"
	if [ -z "${series_lock:-}" ]; then
		exec {series_lock}>"$built/lock"
		flock "$series_lock"
	fi
	if ! tgit rev-parse -q --verify HEAD >/dev/null 2>&1; then
		rm -rf "$tree"
		lgit worktree prune
		lgit worktree add -q -f --no-checkout --detach "$tree" "$1" || bail "cannot make $tree"
	fi
	tgit checkout -q -f --detach "$1" || bail "cannot check out $1 in $tree"
}

tgit() { git -C "$tree" -c safe.directory='*' -c gc.auto=0 -c core.quotePath=false "$@"; }

options() {
	lgit grep -hoE '^[[:space:]]*(menu)?config [A-Z0-9_]+' "$1" -- 'Kconfig*' '*/Kconfig*' |
		sed 's/.* /CONFIG_/' | sort -u
}

# merge FRAGMENT...: one fragment, in which the last word on an option counts
merge() {
	cat "$@" | awk '
		/^(# )?CONFIG_/ {
			name = $0
			sub(/^# /, "", name)
			sub(/[= ].*/, "", name)
			word[name] = $0
		}
		END { for (name in word) print word[name] }' | sort
}

absent=''
configure() {
	local out=$built/$1 fragment=$built/$1.config said
	shift
	merge "$@" >"$fragment.all"
	absent=$(comm -23 <(grep -o 'CONFIG_[A-Z0-9_]*' "$fragment.all" | sort) \
		<(options "$(tgit rev-parse HEAD)"))
	grep -vwF "${absent:-no such option}" "$fragment.all" >"$fragment"
	said=$(KERNEL_TREE=$tree "$top/kernel-config/configure" "$out" "$fragment" 2>&1) ||
		{ diag "$said"; return 1; }
}

export KBUILD_BUILD_TIMESTAMP='1970-01-01' KBUILD_BUILD_USER=lab KBUILD_BUILD_HOST=lab
export CCACHE_BASEDIR=$top CCACHE_NOHASHDIR=1

kmake() {
	local out=$built/$1
	shift
	PATH=/usr/lib/ccache:$PATH make -C "$tree" O="$out" -j"$(nproc)" LOCALVERSION= "$@" >"$out.log" 2>&1
}

# plain: without line numbers, which change by themselves, sorted; of those that
# many files see in one header, one
plain() {
	sed -E -e "s,(\.\./tree|$tree)/,,g" -e 's/^([^ :]+)(:[0-9]+)+:/\1:/' -e 's/\+0x[0-9a-f]+//g' |
		awk '!/^[^ :]*\.h:/ || !seen[$0]++' | sort
}

warnings() { grep -i 'warning:' "$built/$1.log" | plain; }
compiled() { grep -qE "^  CC( \[M\])? +${2%.c}\.o$" "$built/$1.log"; }
