# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# series.sh - functions for the tests of this directory: the commits of the series.
#
#   commits                          the commits of the series, in order
#   titled COMMIT                    its short hash and its subject
#   touched COMMIT [PATTERN]...      the files that it adds or changes
#   changed [PATTERN]...             the files that the series adds or changes
#   added [PATTERN]...               the files that the series adds
#   options COMMIT                   the options that its Kconfig files define
#   "${patches[@]}"                  the patches, in order, with the test aids
#
# For the tests in slow/, which build the series:
#
#   checkout COMMIT                  check out COMMIT in $tree; other files are not touched
#   configure OUT FRAGMENT...        make $built/OUT/.config; later fragments override earlier
#                                    ones.  Options that the tree does not have go to $absent.
#   kmake OUT TARGET...              build in $built/OUT, with the output in $built/OUT.log
#   warnings OUT                     the warnings in that log
#   compiled OUT FILE                succeeds if FILE was compiled according to that log
#
# BASE in the environment selects the series, patches/BASE (see kernel-config/base.sh).  SERIES_TIP
# is its last commit, by default branch p2pmem in build/BASE/linux.

# shellcheck disable=SC2034 # read by the scripts that source this file

top=$(cd -- "${BASH_SOURCE[0]%/*}/../.." && pwd -P)
# shellcheck source=tests/lib/tap.sh
. "$top/tests/lib/tap.sh"

# shellcheck source=kernel-config/base.sh
. "$top/kernel-config/base.sh" || bail "no base"

linux=$top/build/$BASE/linux
mapfile -t patches < <(series_patches; test_patches)
tip=${SERIES_TIP:-p2pmem}

# The user need not be the owner of the checkout, and any git configuration works
lgit() {
	git -C "$linux" -c safe.directory='*' -c core.abbrev=12 -c gc.auto=0 \
		-c core.quotePath=false "$@"
}

tip=$(lgit rev-parse -q --verify "$tip^{commit}") ||
	bail "no series in $linux: run 'make kernel-tree'"
base=$(lgit rev-parse 'base^{commit}') || bail "no tag 'base' in $linux"

commits() { lgit rev-list --reverse "$base..$tip"; }
titled() { lgit log -1 --format='%h %s' "$1"; }
touched() {
	lgit diff-tree -r --no-renames --diff-filter=d --name-only "$1^" "$1" -- "${@:2}"
}
changed() { lgit diff --no-renames --diff-filter=d --name-only "$base" "$tip" -- "$@"; }
added() { lgit diff --no-renames --diff-filter=A --name-only "$base" "$tip" -- "$@"; }

# ---- building the commits ----------------------------------------------------

built=$top/build/$BASE/series
tree=$built/tree

# Tests take turns, because there is one tree.  Files that do not differ keep their time stamps.
checkout() {
	mkdir -p "$built"
	if [ -z "${series_lock:-}" ]; then
		exec {series_lock}>"$built/lock"
		flock "$series_lock"
	fi
	if ! tgit rev-parse -q --verify HEAD >/dev/null 2>&1; then
		rm -rf "$tree"
		lgit worktree prune
		lgit worktree add -q -f --no-checkout --detach "$tree" "$1" ||
			bail "cannot create $tree"
	fi
	tgit checkout -q -f --detach "$1" || bail "cannot check out $1 in $tree"
}

tgit() { git -C "$tree" -c safe.directory='*' -c gc.auto=0 -c core.quotePath=false "$@"; }

options() {
	lgit grep -hoE '^[[:space:]]*(menu)?config [A-Z0-9_]+' "$1" -- 'Kconfig*' '*/Kconfig*' |
		sed 's/.* /CONFIG_/' | sort -u
}

# merge FRAGMENT...: merge fragments into one, in which each option has its last value
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
	PATH=/usr/lib/ccache:$PATH \
		make -C "$tree" O="$out" -j"$(nproc)" LOCALVERSION= "$@" >"$out.log" 2>&1
}

# plain: sort messages, without line numbers, which change from commit to commit.  A message about
# a header appears once, even if many files include it.
plain() {
	sed -E -e "s,(\.\./tree|$tree)/,,g" -e 's/^([^ :]+)(:[0-9]+)+:/\1:/' \
		-e 's/\+0x[0-9a-f]+//g' |
		awk '!/^[^ :]*\.h:/ || !seen[$0]++' | sort
}

warnings() { grep -i 'warning:' "$built/$1.log" | plain; }
compiled() { grep -qE "^  CC( \[M\])? +${2%.c}\.o$" "$built/$1.log"; }
