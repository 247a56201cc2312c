#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# p2ptrace builds on Debian 13, with each compiler that the release has.
# Requires: root, debootstrap, and a mirror of Debian's archive (see debian.sh); 3 GiB of disk.

release=trixie
suites=(trixie-security trixie-backports)
deps_as_user='as root, run: apt-get update && apt-get install'
matrix=(
	# ARCH CC CLANG [SUITE of libbpf and bpftool]
	'amd64 gcc-12 clang-17'
	'amd64 gcc-13 clang-18'
	'amd64 gcc-14 clang-19'
	'amd64 clang-17 clang-17'
	'amd64 clang-18 clang-18'
	'amd64 clang-19 clang-19'
	'amd64 clang-21 clang-21'
	'arm64 gcc clang-19'
	'arm64 clang-19 clang-19'
)

# shellcheck source=tests/build/debian.sh
. "${BASH_SOURCE[0]%/*}/debian.sh"
build_on_debian
