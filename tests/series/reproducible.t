#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: "make series" gives patches/BASE from the commits in build/BASE/linux, byte for byte, for
# every user and with any git configuration.  If Debian has moved on to another release of the base,
# ids of blobs and line numbers may differ.
# Requires: build/BASE/linux (make kernel-tree).

# shellcheck source=tests/series/series.sh
. "${BASH_SOURCE[0]%/*}/series.sh"

plan 3

work=$(mktemp -d) || exit
trap 'rm -rf "$work"' EXIT

check() { "${1:-$top}/kernel-config/series" --check 2>&1 | tail -n 20; }

is 'make series would change nothing' "$(check | grep -v 'up to date')" ''

export GIT_CONFIG_COUNT=6 TZ=Asia/Tokyo \
	GIT_CONFIG_KEY_0=user.name GIT_CONFIG_VALUE_0='Some One Else' \
	GIT_CONFIG_KEY_1=diff.noprefix GIT_CONFIG_VALUE_1=true \
	GIT_CONFIG_KEY_2=diff.algorithm GIT_CONFIG_VALUE_2=patience \
	GIT_CONFIG_KEY_3=format.signOff GIT_CONFIG_VALUE_3=true \
	GIT_CONFIG_KEY_4=core.abbrev GIT_CONFIG_VALUE_4=40 \
	GIT_CONFIG_KEY_5=format.attach GIT_CONFIG_VALUE_5=true
is 'it would change nothing for another user with other settings' \
	"$(check | grep -v 'up to date')" ''

cp -r "$top/kernel-config" "$work"
mkdir "$work/patches"
cp -r "$base_patches" "$work/patches"
echo >>"$work/patches/$BASE/$(basename "${patches[0]}")"
like 'a difference is detected' "$(BUILD=$top/build check "$work")" "run 'make series BASE=$BASE'"

exit $((tap_failed > 0))
