#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: the lists of Debian's archive count as read for a day only if APT has read them, without
# those of suites that the mirror lacks; otherwise a message says that old ones are used.

top=$(cd -- "${BASH_SOURCE[0]%/*}/../.." && pwd -P)
# shellcheck source=tests/lib/tap.sh
. "$top/tests/lib/tap.sh"
scratch=$(mktemp -d) || exit
trap 'rm -rf "$scratch"' EXIT
mkdir "$scratch/bin"

# An APT that prints $ERRORS and has one package
cat >"$scratch/bin/apt-get" <<'END'
#!/bin/bash
[ "$1" = update ] || exit 0
printf '%s' "$ERRORS"
[ -z "$ERRORS" ]
END
printf '#!/bin/sh\necho linux-source-1\n' >"$scratch/bin/apt-cache"
chmod +x "$scratch"/bin/*

# updated ERRORS: what is printed, and whether the lists count as read
updated() (
	export ERRORS=$1 PATH=$scratch/bin:$PATH BUILD=$scratch
	# shellcheck source=kernel-config/lib.sh
	. "$top/kernel-config/lib.sh"
	# shellcheck source=kernel-config/archive.sh
	. "$top/kernel-config/archive.sh"
	rm -f "$apt/updated"
	archive_update 2>&1 | grep -o 'old ones are used' || :
	[ -e "$apt/updated" ] && echo read
)

plan 3
is 'lists that were read' "$(updated '')" read
is 'a suite that the mirror lacks does not matter' \
	"$(updated $'E: The repository \'x\' does not have a Release file.\n')" read
is 'without the network they are not, and a message says so' \
	"$(updated $'E: Failed to fetch x\nE: Some index files failed to download.\n')" \
	'old ones are used'

exit $((tap_failed > 0))
