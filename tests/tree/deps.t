#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A build never installs packages: it names everything that it does not find.  Only "make deps"
# installs, on Debian 12 and 13, as root.
# Requires: nothing; apt-get and id are stubs here, and PATH holds little else.

top=$(cd -- "${BASH_SOURCE[0]%/*}/../.." && pwd -P)
# shellcheck source=tests/lib/tap.sh
. "$top/tests/lib/tap.sh"

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir "$scratch/bin"
for tool in awk bash cat chmod chown df dirname make mkdir prove rm sed sort tail; do
	ln -s "$(command -v $tool)" "$scratch/bin/$tool"
done
for tool in apt apt-get dpkg dpkg-query sudo; do
	cat >"$scratch/bin/$tool" <<-END
		#!/bin/bash
		echo "\${0##*/} \$*" >>"$scratch/called"
	END
	chmod +x "$scratch/bin/$tool"
done
printf '%s\n' '#!/bin/bash' "echo \"\$USER_ID\"" >"$scratch/bin/id"
chmod +x "$scratch/bin/id"

# bare COMMAND...: run it in this environment; status and output go to files
bare() {
	: >"$scratch/called"
	env -i PATH="$scratch/bin" BUILD="$scratch/build" OS_RELEASE="$scratch/os-release" \
		POLICY_RC_D="$scratch/policy-rc.d" "${variables[@]}" "$@" >"$scratch/output" 2>&1
	status=$?
}

# The names of the missing things in one line, without their purpose
names() { sed -n 's/^  \(.*\), .*/\1/p' "$scratch/output" | paste -sd,; }

system() { printf '%s\n' "ID=$1" "VERSION_ID=\"$2\"" >"$scratch/os-release"; }

variables=(BPFTOOL=no-bpftool)
build='GCC or Clang,a C library,Linux'\''s UAPI headers,Clang,bpftool,pkg-config'
build+=',libbpf 1.1 or newer,libelf of elfutils,zlib,libpci of pciutils,Jansson'

plan 24

system debian 12
for target in p2ptrace check-unit install; do
	case $target in
	p2ptrace) want=$build ;;
	check-unit) want="$build,cmocka,rst2man of docutils" ;;
	install) want="$build,rst2man of docutils" ;;
	esac
	bare make -C "$top" BUILD="$scratch/build" "$target"
	is "make $target fails" $status 2
	is "make $target names everything that is missing" "$(names)" "$want"
	is "make $target calls no package manager" "$(<"$scratch/called")" ''
done
like 'it says what installs it' "$(<"$scratch/output")" 'On Debian 12 and 13, "make deps" installs'

install=(bash "$top/tools/deps/install" install)
package='apt-get install -y --no-install-recommends python3-docutils'

variables=(USER_ID=1000)
bare "${install[@]}"
is 'make deps as a user fails' $status 1
like 'it says what root must run' "$(<"$scratch/output")" "as root, run: apt-get update && $package"
is 'it installs nothing' "$(<"$scratch/called")" ''

variables=(USER_ID=0)
for version in 12 13; do
	system debian $version
	bare "${install[@]}"
	is "make deps on Debian $version installs what is missing" "$(<"$scratch/called")" \
		"apt-get update"$'\n'"$package"
done

# A package may bring a service, which would run at once and after each boot
cat >>"$scratch/bin/apt-get" <<'END'
[ -x "$POLICY_RC_D" ] || echo 'services may start' >>"${0%/*}/../called"
END
cat >"$scratch/bin/systemctl" <<'END'
#!/bin/bash
echo "systemctl $*" >>"${0%/*}/../called"
END
cat >"$scratch/bin/dpkg" <<'END'
#!/bin/bash
printf '%s\n' /usr/bin/tool /usr/lib/systemd/system/server.service
END
chmod +x "$scratch/bin/systemctl"
bare "${install[@]}"
is 'no service is started or stays enabled' "$(<"$scratch/called")" \
	"apt-get update"$'\n'"$package"$'\n''systemctl disable --quiet server.service'
is 'services can be started later' "$(ls "$scratch/policy-rc.d" 2>/dev/null)" ''
rm "$scratch/bin/systemctl"
# The stub has installed nothing
is 'make deps fails when something is still missing' "$status: $(names)" '1: rst2man of docutils'

system fedora 43
bare "${install[@]}"
is 'make deps elsewhere fails' $status 1
is 'it names everything that is missing' "$(names)" 'rst2man of docutils'
is 'it calls no package manager' "$(<"$scratch/called")" ''

variables=(USER_ID=0 RST2MAN=bash)
bare "${install[@]}"
is 'make deps elsewhere succeeds when nothing is missing' "$status: $(<"$scratch/output")" '0: '
bare "${install[@]}" optional
is 'it succeeds without what is optional' "$status: $(<"$scratch/output")" '0: '
system debian 12
bare "${install[@]}" optional
is 'make deps on Debian installs what is optional' "$status: $(<"$scratch/called")" \
	"0: apt-get update"$'\n'"${package% *} libmicrohttpd-dev libncurses-dev libzstd-dev"

exit $((tap_failed > 0))
