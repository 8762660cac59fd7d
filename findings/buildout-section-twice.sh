#!/bin/bash
# zc.buildout up to 3.0.1: where one file has a section twice and both add to an
# option by +=, the earlier addition is lost without a word; what a file extends is
# still added to. From 3.1.1 on both count (seen to 5.2.0). A tool that appends text
# to a buildout's file meets it where that text names a section again.
#
# It installs the releases into virtualenvs of a temporary folder, needs python3 with
# venv, and fails where any of this is not so any more.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
cd "$work"
mkdir project
cat >project/base.cfg <<'CFG'
[buildout]
parts =
words = base
CFG
cat >project/buildout.cfg <<'CFG'
[buildout]
extends = base.cfg
words += first

[buildout]
words += second
CFG
for version in 2.13.8 3.0.1 3.1.1 5.2.0; do
	python3 -m venv "$version"
	"$version/bin/pip" install -q --disable-pip-version-check "zc.buildout==$version" 'setuptools<82' wheel
	(cd project && printf '%s: %s\n' "$version" "$("../$version/bin/buildout" -c buildout.cfg query buildout:words 2>/dev/null | grep -v '^Creating' | paste -sd ' ')")
done >said
cat said
diff - said <<'SAID' || { echo "this is not so any more" >&2 && exit 1; }
2.13.8: base second
3.0.1: base second
3.1.1: base first second
5.2.0: base first second
SAID
