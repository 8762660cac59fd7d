#!/bin/bash
# zc.buildout: -= takes whole lines out of an option, and never words of a line. Of
# "parts = a b c" nothing goes by "parts -= b": b is built, without a word. Written with a
# part on each line it goes. A line of the base that has two names goes only where the same
# two, in the same spelling, are one line behind -=. += joins by lines as well, which shows
# nowhere, since parts are split at any blank later. The same from 2.13.8 to 6.0.1.
#
# It installs the releases into virtualenvs of a temporary folder, needs python3 with
# venv, and fails where any of this is not so any more.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
cd "$work"
mkdir project
left() { # BASE LESS
	printf '[buildout]\nparts = %b\n' "$1" >project/base.cfg
	printf '[buildout]\nextends = base.cfg\nparts -= %b\n' "$2" >project/buildout.cfg
	(cd project && "../$version/bin/buildout" -c buildout.cfg query buildout:parts 2>/dev/null | grep -v '^Creating' | paste -sd ' ' | xargs)
}
for version in 2.13.8 3.1.1 5.2.0 6.0.1; do
	python3 -m venv "$version"
	setuptools='setuptools<82'
	[[ $version != 6.* ]] || setuptools=setuptools
	"$version/bin/pip" install -q --disable-pip-version-check "zc.buildout==$version" "$setuptools" wheel
	echo "$version one line: $(left 'a b c' b)"
	echo "$version lines: $(left '\n  a\n  b\n  c' b)"
	echo "$version two of a line: $(left '\n  a b\n  c' 'a b')"
	echo "$version other blanks: $(left '\n  a  b\n  c' 'a b')"
done >said
cat said
for version in 2.13.8 3.1.1 5.2.0 6.0.1; do
	cat <<SAID
$version one line: a b c
$version lines: a c
$version two of a line: c
$version other blanks: a b c
SAID
done | diff - said || { echo "this is not so any more" >&2 && exit 1; }
