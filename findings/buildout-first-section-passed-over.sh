#!/bin/bash
# zc.buildout: a file whose first section has an expression that does not hold, and an
# option in it, is refused with "File contains no section headers". The parser passes the
# section over before it has begun one, and takes the option for a line above all headers.
# With any section that holds before it, the same lines are passed over as documented; a
# first section that is passed over and empty is taken too. So a versions file that begins
# with [versions: python27] works on one host and stops buildout on another. The same from
# 2.13.8 to 6.0.1.
#
# It installs the releases into virtualenvs of a temporary folder, needs python3 with
# venv, and fails where any of this is not so any more.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
cd "$work"
mkdir project
printf '[buildout]\nextends = pins.cfg\nparts =\n' >project/buildout.cfg
pins() { # NAME TEXT
	printf '%b' "$2" >project/pins.cfg
	if (cd project && "../$version/bin/buildout" -c buildout.cfg annotate >../out 2>&1); then
		echo "$version $1: read"
	else
		echo "$version $1: $(grep -oE 'MissingSectionHeaderError|File contains no section headers' out | head -n 1)"
	fi
}
for version in 2.13.8 3.1.1 5.2.0 6.0.1; do
	python3 -m venv "$version"
	setuptools='setuptools<82'
	[[ $version != 6.* ]] || setuptools=setuptools
	"$version/bin/pip" install -q --disable-pip-version-check "zc.buildout==$version" "$setuptools" wheel
	pins 'holds' '[versions: python3]\nsix = 1.17.0\n'
	pins 'does not hold' '[versions: python2]\nsix = 1.17.0\n'
	pins 'does not hold, empty' '[versions: python2]\n'
	pins 'does not hold, second' '[versions]\n[versions: python2]\nsix = 1.17.0\n'
done >said
cat said
for version in 2.13.8 3.1.1 5.2.0 6.0.1; do
	cat <<SAID
$version holds: read
$version does not hold: MissingSectionHeaderError
$version does not hold, empty: read
$version does not hold, second: read
SAID
done | diff - said || { echo "this is not so any more" >&2 && exit 1; }
