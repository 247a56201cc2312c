# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# base.sh - the base that BASE in the environment selects, from the table "bases".
#
#   BASE                            its name, also exported
#   base_version, base_package, base_suite
#                                   the rest of its line
#   base_patches                    the folder with its patches
#   all_bases                       the names of all bases
#   series_patches                  print the paths of the patches of the series, in order
#   test_patches                    print those of its test aids, which are applied after them
#
# It fails if there is no such base.

base_patches=$(cd -- "${BASH_SOURCE[0]%/*}/.." && pwd -P)/patches
bases=$(awk '!/^#/' "${BASH_SOURCE[0]%/*}/bases")

: "${BASE:=$(awk '$1 == "default" { print $2 }' <<<"$bases")}"
export BASE
base_patches+=/$BASE
# shellcheck disable=SC2034 # read by the scripts that source this file
read -r _ base_version base_package base_suite < <(awk -v base="$BASE" '
	$1 == base && $1 != "default" { found = $0 } END { print found }' <<<"$bases")
all_bases=$(awk '$1 != "default" && NF { printf "%s%s", sep, $1; sep = " " }' <<<"$bases")

series_patches() { find "$base_patches" -maxdepth 1 -name '0*.patch' ! -name '0000-*' | sort; }
# A base without test aids has no folder for them
test_patches() {
	[ ! -d "$base_patches/test" ] || find "$base_patches/test" -name '0*.patch' | sort
}

[ -n "$base_version" ] || {
	echo "${0##*/}: there is no base BASE=$BASE; there are: $all_bases" >&2
	false
}
