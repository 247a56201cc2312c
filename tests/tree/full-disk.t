#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: what fills the disk says so before it starts, in one line with the figures;
# a work tree that could not be filled does not pass for one.
# Requires: nothing; df says here what the test wants it to.

top=$(cd -- "${BASH_SOURCE[0]%/*}/../.." && pwd -P)
# shellcheck source=tests/lib/tap.sh
. "$top/tests/lib/tap.sh"

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir "$scratch/bin" "$scratch/out"

# fails_with MIB CMD...: run CMD on a disk that has so much left
fails_with() {
	local mib=$1
	shift
	cat >"$scratch/bin/df" <<-END
		#!/bin/sh
		echo Avail
		echo $((mib * 1024))
	END
	chmod +x "$scratch/bin/df"
	PATH=$scratch/bin:$PATH BUILD=$scratch KERNEL_SRC='' "$@" >"$scratch/said" 2>&1
	is "${1##*/} fails" $? 1
}

plan 11

fails_with 3071 "$top/kernel-config/tree"
is 'a git tree: one line' "$(wc -l <"$scratch/said")" 1
like 'a git tree: how much it takes, how much there is, and where' "$(<"$scratch/said")" \
	"^tree: a git tree of the kernel takes up to 3 GiB, and the disk of $scratch has 3071 MiB left: make room there$"
ok 'a git tree: was not begun' [ ! -e "$scratch/linux.new" ]

git init -q "$scratch/linux"
touch "$scratch/linux/Kbuild"
git -C "$scratch/linux" add Kbuild
git -C "$scratch/linux" -c user.name=test -c user.email=test@localhost commit -q -m base
fails_with 1023 "$top/kernel-config/worktree" HEAD "$scratch/worktree"
like 'a work tree: how much it takes' "$(<"$scratch/said")" '^worktree: a work tree .* 1 GiB, .* 1023 MiB left'
ok 'a work tree: was not begun' [ ! -e "$scratch/worktree/.git" ]

# A tree that is not whole must not pass for one that is
mkdir "$scratch/full"
cat >"$scratch/full/git" <<-END
	#!/bin/sh
	case " \$* " in *' read-tree '*) exit 128 ;; esac
	exec $(command -v git) "\$@"
END
chmod +x "$scratch/full/git"
PATH=$scratch/full:$PATH BUILD=$scratch "$top/kernel-config/worktree" HEAD "$scratch/worktree" >"$scratch/said" 2>&1
is 'a work tree that cannot be filled: status' $? 1
BUILD=$scratch "$top/kernel-config/worktree" HEAD "$scratch/worktree" >"$scratch/said" 2>&1
is 'it is made anew' "$(ls "$scratch/worktree") $(git -C "$scratch/worktree" status --short)" 'Kbuild '

fails_with 2047 "$top/kernel-config/build" "$scratch/out"
like 'a kernel: how much it takes' "$(<"$scratch/said")" '^build: building a kernel .* 2 GiB, .* 2047 MiB left'

exit $((tap_failed > 0))
