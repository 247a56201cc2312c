#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# p2ptrace builds on Debian testing, with each compiler that the release has.
# Requires: root, debootstrap, and a mirror of Debian's archive (see debian.sh); 3 GiB of disk.

release=testing
suites=()
deps_as_user='this is not Debian 12 or 13: install the above'
matrix=(
	# ARCH CC CLANG [SUITE of libbpf and bpftool]
	'amd64 gcc-12 clang-21'
	'amd64 gcc-13 clang-21'
	'amd64 gcc-14 clang-21'
	'amd64 gcc clang'
	'amd64 clang-20 clang-20'
	'amd64 clang-21 clang-21'
	'amd64 clang-22 clang-22'
	'arm64 gcc clang-21'
	'arm64 clang-21 clang-21'
)

# shellcheck source=tests/build/debian.sh
. "${BASH_SOURCE[0]%/*}/debian.sh"
build_on_debian
