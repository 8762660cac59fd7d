#!/bin/bash
# zc.buildout: an option += in a section that has its options by <= from another one adds to
# nothing and takes the place of what the macro has. The sum is made over the files, before
# macros are looked at; [client1] has no such option of its own there, so the rest of it is
# empty, and what a section has itself wins over its macro. In the same place a plain
# option of [client1] in the base is added to. Nothing is said; annotate shows
# IMPLICIT_VALUE. The same from 2.13.8 to 5.2.0. A tool that adds environment-vars or
# initialization to a Zope's part takes away those of the project's [instance].
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

[instance]
environment-vars = ZOPE_LOG x

[client1]
<= instance

[client2]
environment-vars = ZOPE_LOG x
CFG
cat >project/buildout.cfg <<'CFG'
[buildout]
extends = base.cfg

[client1]
environment-vars += LANG C

[client2]
environment-vars += LANG C
CFG
for version in 2.13.8 3.1.1 5.2.0; do
	python3 -m venv "$version"
	"$version/bin/pip" install -q --disable-pip-version-check "zc.buildout==$version" 'setuptools<82' wheel
	for part in client1 client2; do
		(cd project && printf '%s %s: %s\n' "$version" "$part" "$("../$version/bin/buildout" -c buildout.cfg query "$part:environment-vars" 2>/dev/null | grep -v '^Creating' | paste -sd ' ' | xargs)")
	done
done >said
cat said
diff - said <<'SAID' || { echo "this is not so any more" >&2 && exit 1; }
2.13.8 client1: LANG C
2.13.8 client2: ZOPE_LOG x LANG C
3.1.1 client1: LANG C
3.1.1 client2: ZOPE_LOG x LANG C
5.2.0 client1: LANG C
5.2.0 client2: ZOPE_LOG x LANG C
SAID
