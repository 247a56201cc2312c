# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# series.sh - the commits of the series, for the tests of this directory.
#
#   commits                          the commits of the series, first one first
#   titled COMMIT                    its short hash and its subject
#   touched COMMIT [PATTERN]...      the files it adds or changes
#   added PATTERN...                 the files that the series adds
#
# For those that build it (in slow/):
#
#   checkout COMMIT                  have $tree hold it; only the files that differ change
#   configure OUT FRAGMENT...        make $built/OUT/.config; a later fragment wins
#   kmake OUT TARGET...              make them there; all that make says is in $built/OUT.log
#   warnings OUT                     the warnings in that log, without line numbers
#   new_warnings OLD NEW             what the list NEW has more than the list OLD
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
