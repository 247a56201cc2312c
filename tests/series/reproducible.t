#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: "make series" gives patches/ from the commits in build/linux, byte for byte, for every user
# and with any git configuration.  If Debian has moved on to another release of the base, ids of
# blobs and line numbers may differ.
# Requires: build/linux (make kernel-tree).

top=$(cd -- "${BASH_SOURCE[0]%/*}/../.." && pwd -P)
# shellcheck source=tests/lib/tap.sh
. "$top/tests/lib/tap.sh"

plan 3

BASE_VERSION=$(sed -n 's/^BASE_VERSION[^0-9]*//p' "$top/Makefile")
export BASE_VERSION

check() { "$top/kernel-config/series" --check 2>&1 | tail -n 20; }

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

BASE_VERSION=6.12.0
like 'a difference is detected' "$(check)" "run 'make series'"

exit $((tap_failed > 0))
