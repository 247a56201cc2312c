# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# archive.sh - read Debian's archive with an APT of our own, and fetch packages from it.
#
# APT has its configuration, lists and cache in build/distro/apt, and installs nothing: the
# configuration and the packages of this machine stay as they are.  Source lib.sh before this file.
#
#   archive_lock, archive_unlock    wait for other users of these files; until the script ends, or
#                                   until archive_unlock
#   archive_update                  read the lists of the archive, if that is due
#   private CMD...                  run a command of APT with that configuration
#   fetch DIR PACKAGE...            download packages to DIR; PACKAGE may be NAME=VERSION
#   unpack DIR                      unpack the packages in DIR to DIR/root
#
#   DEBIAN_MIRROR=URL               another mirror than that of this machine
#   LAB_ARCH=arm64                  packages for arm64 instead of amd64, in build/arm64/distro

readonly SUITES='bookworm bookworm-updates bookworm-backports
	trixie trixie-updates trixie-backports sid'
readonly SECURITY='bookworm-security trixie-security'
readonly KEYS=/usr/share/keyrings/debian-archive-keyring.gpg

arch=${LAB_ARCH:-amd64}
# shellcheck disable=SC2154 # lib.sh sets it
case $arch in
amd64) distro=$build/distro ;;
arm64) distro=$build/$arch/distro ;;
*) fail "the lab has no LAB_ARCH=$arch: amd64, or arm64" ;;
esac
mkdir -p "$distro"
distro=$(cd "$distro" && pwd -P)
apt=$distro/apt

archive_lock() {
	command -v apt-get >/dev/null ||
		fail "Debian's kernels are fetched with apt-get, which is missing"
	[ -e "$KEYS" ] || fail "no $KEYS: install debian-archive-keyring"
	exec 9>"$distro/lock"
	flock -n 9 || {
		say WAIT "for another target that fetches from Debian's archive"
		flock 9
	}
}

archive_unlock() { exec 9>&-; }

# mirror NAME: the mirror of this machine for "debian" or "debian-security"
mirror() {
	local site

	# shellcheck disable=SC2016 # APT's variable
	site=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' 2>/dev/null |
		sed 's:/*$::' | grep -m 1 "/$1\$") || :
	case ${DEBIAN_MIRROR:+$1} in
	debian) site=$DEBIAN_MIRROR ;;
	debian-security) site=$DEBIAN_MIRROR-security ;;
	esac
	echo "${site:-http://deb.debian.org/$1}"
}

sources() {
	local suite debian security

	debian=$(mirror debian)
	security=$(mirror debian-security)
	for suite in $SUITES; do
		echo "deb [arch=$arch signed-by=$KEYS] $debian $suite main"
	done
	for suite in $SECURITY; do
		echo "deb [arch=$arch signed-by=$KEYS] $security $suite main"
	done
}

# The proxy and the like are in the machine's apt.conf, which APT reads as well
configuration() {
	cat <<-END
		Dir::State "$apt";
		Dir::State::status "$apt/status";
		Dir::State::lists "$apt/lists";
		Dir::Cache "$apt/cache";
		Dir::Log "$apt";
		Dir::Etc::sourcelist "$apt/sources.list";
		Dir::Etc::sourceparts "$apt/none";
		Dir::Etc::preferences "$apt/none";
		Dir::Etc::preferencesparts "$apt/none";
		Acquire::Languages "none";
		APT::Architecture "$arch";
		APT::Architectures { "$arch"; };
		APT::Sandbox::User "root";
		APT::Update::Post-Invoke "";
		APT::Update::Post-Invoke-Success "";
	END
}

private() { APT_CONFIG=$apt/apt.conf "$@"; }

# The lists of the archive are read again once a day, or when the sources change.  A suite that the
# mirror lacks does not matter, and without the network the old lists are better than none.
archive_update() {
	mkdir -p "$apt"/{lists,cache/archives}/partial "$apt/none"
	touch "$apt/status"
	configuration >"$apt/apt.conf"
	sources >"$apt/sources.list.new"
	if [ -n "$(find "$apt/updated" -mtime 0 2>/dev/null)" ] &&
	   cmp -s "$apt/sources.list.new" "$apt/sources.list"; then
		return
	fi
	mv "$apt/sources.list.new" "$apt/sources.list"
	say APT "lists of Debian's archive"
	# apt-get succeeds without the network unless it is told not to
	if private apt-get update -q -o APT::Update::Error-Mode=any >"$apt/log" 2>&1 ||
	   ! grep '^E: ' "$apt/log" | grep -qv 'does not have a Release file'; then
		touch "$apt/updated"
	else
		rm -f "$apt/updated"
		say APT "not all lists could be read (see $apt/log), so old ones are used"
	fi
	[ -n "$(private apt-cache pkgnames linux-source-)" ] ||
		fail "cannot read the lists of Debian's archive: $(tail -n 1 "$apt/log");" \
			"the log is $apt/log"
}

# The functions below run in a step, where a failing command does not end the script

fetch() (
	cd "$1" || return
	shift
	private apt-get download -q "$@"
)

unpack() {
	local package

	for package in "$1"/*.deb; do
		dpkg-deb -x "$package" "$1/root" || return
	done
}
