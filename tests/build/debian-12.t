#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# p2ptrace builds on Debian 12, with each compiler that the release has.
# Requires: root, debootstrap, and a mirror of Debian's archive (see debian.sh); 3 GiB of disk.

release=bookworm
suites=(bookworm-security bookworm-backports)
deps_as_user='as root, run: apt-get update && apt-get install'
# The archive has clang-15, but not the sanitizers that check-unit builds with
matrix=(
	# ARCH CC CLANG [SUITE of libbpf and bpftool]
	'amd64 gcc-12 clang-14'
	'amd64 clang-14 clang-14'
	'amd64 clang-16 clang-16'
	'amd64 clang-19 clang-19'
	'arm64 gcc clang-14'
	'arm64 clang-14 clang-14'
	'arm64 clang-19 clang-19'
	'amd64 gcc-12 clang-16 bookworm-backports'
)

# shellcheck source=tests/build/debian.sh
. "${BASH_SOURCE[0]%/*}/debian.sh"
build_on_debian
