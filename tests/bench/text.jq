# SPDX-License-Identifier: GPL-2.0
#
# Functions that format the tables of the benchmarks

def left($width): (tostring + " " * $width)[:([$width, (tostring | length)] | max)];
def right($width): tostring | " " * ([$width - length, 0] | max) + .;
def thousands: tostring | [while(length > 0; .[:-3]) | .[-3:]] | reverse | join(",");
def cost: if . == null then "-" else (. + 0.5 | floor | thousands) end;
def ratio: if . == null then "-" else (. * 10000 + 0.5 | floor | tostring |
	("0" * ([5 - length, 0] | max) + .) | .[:-4] + "." + .[-4:]) end;
