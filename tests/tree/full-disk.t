#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: a step that needs more space than the disk has fails before it starts, with one line that
# gives the figures.  A work tree whose checkout failed is not taken for a complete one.
# Requires: nothing; the test puts a df of its own into PATH.

top=$(cd -- "${BASH_SOURCE[0]%/*}/../.." && pwd -P)
# shellcheck source=tests/lib/tap.sh
. "$top/tests/lib/tap.sh"

# shellcheck source=kernel-config/base.sh
. "$top/kernel-config/base.sh" || exit

scratch=$(mktemp -d)
linux=$scratch/$BASE/linux
trap 'rm -rf "$scratch"' EXIT
mkdir "$scratch/bin" "$scratch/out"

# fails_with MIB CMD...: run CMD on a disk that has MIB of free space
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
like 'a git tree: the line has the need, the free space and the place' "$(<"$scratch/said")" \
	"^tree: a git tree .* 3 GiB, but the disk of $scratch/$BASE has only 3071 MiB free: "
ok 'a git tree: nothing was written' [ ! -e "$linux.new" ]

git init -q "$linux"
touch "$linux/Kbuild"
git -C "$linux" add Kbuild
git -C "$linux" -c user.name=test -c user.email=test@localhost commit -q -m base
fails_with 1023 "$top/kernel-config/worktree" HEAD "$scratch/worktree"
like 'a work tree: the line has the figures' "$(<"$scratch/said")" \
	'^worktree: a work tree .* 1 GiB, .* 1023 MiB free'
ok 'a work tree: nothing was written' [ ! -e "$scratch/worktree/.git" ]

# A git whose checkout fails half-way
mkdir "$scratch/full"
cat >"$scratch/full/git" <<-END
	#!/bin/sh
	case " \$* " in *' read-tree '*) exit 128 ;; esac
	exec $(command -v git) "\$@"
END
chmod +x "$scratch/full/git"
PATH=$scratch/full:$PATH BUILD=$scratch "$top/kernel-config/worktree" HEAD "$scratch/worktree" \
	>"$scratch/said" 2>&1
is 'a work tree that cannot be filled: status' $? 1
BUILD=$scratch "$top/kernel-config/worktree" HEAD "$scratch/worktree" >"$scratch/said" 2>&1
is 'the next run starts again' \
	"$(ls "$scratch/worktree") $(git -C "$scratch/worktree" status --short)" 'Kbuild '

fails_with 2047 "$top/kernel-config/build" "$scratch/out"
like 'a kernel: the line has the figures' "$(<"$scratch/said")" \
	'^build: building a kernel .* 2 GiB, .* 2047 MiB free'

exit $((tap_failed > 0))
