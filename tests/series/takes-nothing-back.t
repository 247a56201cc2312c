#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: no patch removes or changes a line that an earlier patch of the series has added, so a
# reviewer reads each line once.
#
# White space does not count, so a patch may change the indentation.  A comma, semicolon or brace at
# the end of a line does not count either, so a patch may append to a list.  Lines that have only
# punctuation are ignored.  All other lines count, also comments, and moving a line removes it.
#
# Lines of bug fixes, which come first, are exempt: a fix has to be complete by itself for the
# stable kernels, and a later patch may replace it.
#
# Requires: build/BASE/linux (make kernel-tree).

# shellcheck source=tests/series/series.sh
. "${BASH_SOURCE[0]%/*}/series.sh"

fixes() { lgit show -s --format=%b "$1" | grep -q '^Fixes: '; }

# deletions COMMIT: the lines that COMMIT deletes, as FILE NUMBER
deletions() {
	lgit diff-tree -p -U0 -w --minimal --no-renames --no-ext-diff \
		--src-prefix=a/ --dst-prefix=b/ "$1^" "$1" |
		awk -v OFS='\t' '
			function bare(line) {
				gsub(/[ \t]/, "", line)
				sub(/[,;{]*$/, "", line)
				return line
			}
			function end_hunk(i) {
				for (i = 0; i < n; i++)
					if (!(bare(deleted[i]) in again))
						print file, first + i
				n = 0
				split("", again)
			}
			/^diff --git / { end_hunk(); header = 1 }
			header && /^--- / { file = substr($0, 7) }
			/^@@ / {
				end_hunk()
				header = 0
				first = substr($2, 2) + 0
			}
			!header && /^-/ { deleted[n++] = substr($0, 2) }
			!header && /^[+]/ { again[bare(substr($0, 2))] }
			END { end_hunk() }'
}

# origins COMMIT: the lines of the series that COMMIT deletes, each as FILE:NUMBER, the commit that
# added it, and the line
origins() {
	local file numbers

	deletions "$1" | awk -F'\t' '
		{ n[$1] = n[$1] " -L " $2 "," $2 }
		END { for (f in n) print f "\t" n[f] }' |
		sort | while IFS=$'\t' read -r file numbers; do
			# shellcheck disable=SC2086 # several words
			lgit blame -w --porcelain $numbers "$base..$1^" -- "$file" |
				awk -v file="$file" '
					/^\t/ {
						if (!(commit in boundary))
							printf "%s:%d\t%s\t%s\n", file, number,
								commit, substr($0, 2)
						next
					}
					length($1) == 40 && $1 !~ /[^0-9a-f]/ {
						commit = $1
						number = $3
					}
					$1 == "boundary" { boundary[commit] }'
		done
}

taken_back() {
	local where who line

	origins "$1" | while IFS=$'\t' read -r where who line; do
		read -r line <<<"$line" || :
		[[ $line =~ [[:alnum:]] ]] || continue
		fixes "$who" ||
			printf '\n%s: %s\n\tof %s' "$where" "$line" "$(titled "$who")"
	done
}

mapfile -t list < <(commits)
plan ${#list[@]}

for commit in "${list[@]}"; do
	if [ "$(lgit rev-parse "$commit^")" = "$base" ]; then
		# The first commit has no predecessor in the series
		tap_pass "$(titled "$commit")"
	else
		is "$(titled "$commit")" "$(taken_back "$commit")" ''
	fi
done

exit $((tap_failed > 0))
