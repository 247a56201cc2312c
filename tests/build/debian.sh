# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# debian.sh - p2ptrace built in a fresh Debian, with each compiler of the release
#
# A test sets "release" (a suite of the archive), "suites" (more of them) and "matrix", then calls
# build_on_debian.  Each row of the matrix is a point:
#
#   ARCH CC CLANG [SUITE]  build with CC, and the BPF programs with CLANG; with libbpf and bpftool
#                          from SUITE if one is given
#
# The chroot is in build/chroot/ and is removed at the end.  All mounts are in a namespace of their
# own, and end with the command that needed them.
#
#   KEEP=1                 keep the chroot
#   POINTS='arm64|clang-21' only the rows of the matrix that match
#   TARGETS=p2ptrace       what each amd64 point makes, instead of p2ptrace and check-unit
#   DEBIAN_MIRROR=URL      another mirror, instead of http://deb.debian.org/debian

top=$(cd -- "${BASH_SOURCE[0]%/*}/../.." && pwd -P)
# shellcheck source=tests/lib/tap.sh
. "$top/tests/lib/tap.sh"

mirror=${DEBIAN_MIRROR:-http://deb.debian.org/debian}
root=$top/build/chroot/${release:?}
log=$top/build/chroot/$release.log

# in_chroot [--user] CMD...: run CMD as root, or as a user who has no /usr/sbin in PATH
in_chroot() {
	local user=() path=/usr/sbin:/usr/bin:/sbin:/bin

	if [ "$1" = --user ]; then
		shift
		path=/usr/bin:/bin
		user=(--userspec=nobody:nogroup)
	fi
	# shellcheck disable=SC2016 # expanded by the inner shell
	unshare --mount --pid --fork --kill-child --propagation private bash -euc '
		root=$1
		shift
		mount -t proc proc "$root/proc"
		mount -t sysfs -o ro sysfs "$root/sys"
		mount -t tmpfs -o mode=755 dev "$root/dev"
		mkdir "$root/dev/shm" "$root/dev/pts"
		mount -t devpts -o newinstance,ptmxmode=666 devpts "$root/dev/pts"
		ln -s pts/ptmx "$root/dev/ptmx"
		ln -s /proc/self/fd "$root/dev/fd"
		for node in null zero full random urandom; do
			touch "$root/dev/$node"
			mount --bind "/dev/$node" "$root/dev/$node"
		done
		exec env -i "$@"' - "$root" PATH="$path" HOME=/tmp LC_ALL=C.UTF-8 \
		DEBIAN_FRONTEND=noninteractive /usr/sbin/chroot "${user[@]}" "$root" "$@" </dev/null
}

# in_source [--user] CMD...: the same, in the copy of this checkout
in_source() {
	local user=()

	if [ "$1" = --user ]; then
		user=(--user)
		shift
	fi
	# shellcheck disable=SC2016 # expanded by the inner shell
	in_chroot "${user[@]}" sh -c 'cd /src && exec "$@"' - "$@"
}

# logged CMD...: run it; what it prints goes to the log, of which a failure shows the end
logged() {
	local status=0

	printf '\n== %s\n' "$*" >>"$log"
	"$@" >"$log.last" 2>&1 || status=$?
	cat "$log.last" >>"$log"
	[ $status -eq 0 ] || tap_why "$(tail -n 20 "$log.last")"
	return $status
}

install_packages() {	# [-t SUITE] PACKAGE...
	in_chroot apt-get install -q -y --no-install-recommends "$@" && in_chroot apt-get clean
}

make_chroot() {
	local suite

	[ "$(id -u)" = 0 ] || skip_all 'debootstrap and chroot take root'
	command -v debootstrap >/dev/null || skip_all 'debootstrap is missing: make deps-build'
	[ -n "${KEEP:-}" ] || trap 'rm -rf --one-file-system "$root" "$log.last"' EXIT
	rm -rf --one-file-system "$root"
	mkdir -p "$root"
	: >"$log"
	logged unshare --mount --propagation private debootstrap --variant=minbase \
		--include=make,ca-certificates "$release" "$root" "$mirror" ||
		bail "debootstrap failed; see $log"
	# shellcheck disable=SC2154 # the test sets "suites"
	for suite in "${suites[@]}"; do
		case $suite in
		*-security) echo "deb $mirror-security $suite main" ;;
		*) echo "deb $mirror $suite main" ;;
		esac
	done >"$root/etc/apt/sources.list.d/more.list"
	# The proxy, and how old an index may be
	! command -v apt-config >/dev/null ||
		apt-config dump Acquire >"$root/etc/apt/apt.conf.d/99host"
	echo force-unsafe-io >"$root/etc/dpkg/dpkg.cfg.d/unsafe-io"
	in_chroot dpkg --add-architecture arm64
	logged in_chroot apt-get update -q || bail "apt-get update failed; see $log"
	mkdir "$root/src"
	git -C "$top" -c safe.directory='*' ls-files -coz --exclude-standard |
		tar -C "$top" --null -T - -c | tar -C "$root/src" --no-same-owner -x
	in_chroot chown -R nobody:nogroup /src
}

# not_found TARGET: what "make TARGET" misses, in one line
not_found() {
	in_source --user make "$1" 2>&1 | sed -n 's/^  \(.*\), .*/\1/p' | paste -sd,
}

package_list() { in_chroot dpkg --get-selections; }
has_package() { in_chroot apt-cache show --no-all-versions "$1" >/dev/null 2>&1; }

missing_packages() { in_source tools/deps/check --packages "$@"; }

can_install() {
	local packages

	mapfile -t packages < <(missing_packages "$@")
	in_chroot apt-get install -q -s --no-install-recommends "${packages[@]}"
}

FIXED_POINTS=13
everything=(build unit install optional lab tests series bench)
# Debian 12 and 13 have the source of Linux 6.12
[ "$release" = testing ] || everything+=(kernel)

# Before anything is installed
bare_points() {
	local before build

	before=$(package_list)
	build='GCC or Clang,a C library,Linux'\''s UAPI headers,Clang,bpftool,pkg-config'
	build+=',libbpf 1.1 or newer,libelf of elfutils,zlib,libpci of pciutils,Jansson'
	is 'make p2ptrace names everything that is missing' "$(not_found p2ptrace)" "$build"
	is 'make check-unit names everything that is missing' "$(not_found check-unit)" \
		"$build,cmocka,prove (Test::Harness),rst2man of docutils"
	is 'make install names everything that is missing' "$(not_found install)" \
		"$build,rst2man of docutils"
	is 'none of them installs a package' "$(package_list)" "$before"

	ok 'each package of tools/deps/list exists' logged can_install "${everything[@]}"
	like 'make deps as a user says what root must run' "$(in_source --user make deps 2>&1)" \
		"${deps_as_user:?}"
}

# What a user gets from the packages of deps-p2ptrace
default_points() {
	local name=amd64,\ the\ default\ compilers

	ok "$name: make deps-p2ptrace" install_p2ptrace_packages
	ok "$name: make p2ptrace check-unit, by a user" \
		logged in_source --user make p2ptrace check-unit
	ok "$name: make install, by a user" \
		logged in_source --user make install DESTDIR=/tmp/dest PREFIX=/usr
	is 'the program, its man pages and its completion are installed' \
		"$(cd "$root/tmp/dest" && find . -type f | sed 's/^\.//' | sort)" \
		"$(installed_files | sort)"
	is 'a second make p2ptrace does nothing' \
		"$(in_source --user make p2ptrace 2>&1)" ''

	logged in_chroot apt-get remove -q -y libcmocka-dev || bail "apt-get failed; see $log"
	is 'without cmocka, make check-unit names it' "$(not_found check-unit)" cmocka
	ok 'without cmocka, make p2ptrace builds' \
		logged in_source --user make p2ptrace BUILD=/tmp/without-cmocka
	logged install_packages libcmocka-dev || bail "apt-get failed; see $log"
}

installed_files() {
	local page

	echo /usr/sbin/p2ptrace
	echo /usr/lib/systemd/system/p2ptrace-export.service
	echo /usr/share/bash-completion/completions/p2ptrace
	for page in "$top"/tools/p2ptrace/man/*.rst; do
		page=${page##*/}
		echo "/usr/share/man/man8/${page%.rst}"
	done
	printf '/usr/share/p2ptrace/%s\n' alerts-test.yml alerts.yml dashboard.json
}

# Debian 12 and 13 have a target for it
install_p2ptrace_packages() {
	local packages

	case $release in
	testing)
		mapfile -t packages < <(missing_packages build unit install optional)
		logged install_packages "${packages[@]}"
		;;
	*)
		logged in_source make deps-p2ptrace
		;;
	esac
}

# builds ARCH OUT MAKE-ARGUMENT...
builds() {
	local arch=$1 out=$2
	shift 2

	logged in_source --user make "BUILD=$out" "$@" || return
	logged file_is_for "$arch" "$root$out/p2ptrace"
}

file_is_for() {
	case $1 in
	amd64) readelf -h "$2" | grep 'Machine:.*X86-64' ;;
	arm64) readelf -h "$2" | grep 'Machine:.*AArch64' ;;
	esac
}

matrix_point() {
	local arch=$1 cc=$2 clang=$3 suite=${4:-} package name out
	local packages=("$cc" "$clang") from=() options=("CLANG=$clang")

	name="$arch, CC=$cc, CLANG=$clang${suite:+, $suite}"
	for package in "${packages[@]}"; do
		if ! has_package "$package"; then
			skip 1 "$name: the archive has no $package for $release"
			return
		fi
	done

	if ! [[ $name =~ ${POINTS:-} ]]; then
		skip 1 "$name: not in POINTS"
		return
	fi

	[ -z "$suite" ] || packages+=(libbpf-dev bpftool) from=(-t "$suite")
	case $arch in
	amd64)
		# shellcheck disable=SC2206 # one word for each target
		options+=("CC=$cc" ${TARGETS:-p2ptrace check-unit})
		# Some releases of clang have the sanitizers in a package of their own
		package=libclang-rt-${cc#clang-}-dev
		! has_package "$package" || packages+=("$package")
		;;
	arm64)
		packages+=(gcc-aarch64-linux-gnu pkgconf:arm64)
		packages+=({libbpf,libelf,zlib1g,libpci,libjansson}-dev:arm64)
		options+=(PKG_CONFIG=aarch64-linux-gnu-pkg-config p2ptrace)
		case $cc in
		gcc) options+=(CC=aarch64-linux-gnu-gcc) ;;
		*) options+=("CC=$cc --target=aarch64-linux-gnu") ;;
		esac
		;;
	esac
	if ! logged install_packages "${from[@]}" "${packages[@]}"; then
		tap_fail "$name: its packages cannot be installed; see $log"
		return
	fi

	out=/tmp/build-$arch-$cc-$clang
	ok "$name, libbpf $(in_chroot pkg-config --modversion libbpf)" \
		builds "$arch" "$out" "${options[@]}"
	rm -rf "$root$out"
}

# shellcheck disable=SC2154 # the test sets "matrix"
build_on_debian() {
	local row

	make_chroot
	plan $((FIXED_POINTS + ${#matrix[@]}))
	bare_points
	default_points
	for row in "${matrix[@]}"; do
		# shellcheck disable=SC2086 # one word for each argument
		matrix_point $row
	done
	exit $((tap_failed > 0))
}
