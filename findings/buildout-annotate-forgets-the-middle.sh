#!/bin/bash
# zc.buildout: "annotate -v" tells the history of an option, file by file. Of the options of
# [buildout] that have a default it leaves out every file but the last: with a base that says
# "eggs-directory = /srv/base" and a file over it that says "/srv/own" it shows the default
# "eggs", then /srv/own, and never the base's file or value. download-cache, which has no
# default, has both. Whoever looks for what a value replaced is told that nothing else set
# it. The same in 5.2.0 and 6.0.1.
#
# It installs the releases into virtualenvs of a temporary folder, needs python3 with
# venv, and fails where any of this is not so any more.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
cd "$work"
mkdir project
for place in base own; do
	printf '[buildout]\nparts =\n'
	[[ $place == base ]] || echo 'extends = base.cfg'
	for option in eggs-directory develop-eggs-directory bin-directory download-cache extends-cache; do
		echo "$option = /srv/$place"
	done
done | csplit -s -f project/ - '/^\[buildout\]/' '{1}'
mv project/01 project/base.cfg
mv project/02 project/buildout.cfg
for version in 5.2.0 6.0.1; do
	python3 -m venv "$version"
	"$version/bin/pip" install -q --disable-pip-version-check "zc.buildout==$version" setuptools==80.9.0 wheel==0.45.1
	for option in eggs-directory develop-eggs-directory bin-directory download-cache extends-cache; do
		echo "$version $option:$(cd project && "../$version/bin/buildout" -v annotate buildout 2>/dev/null |
			awk -v option="$option=" '$1 == option { here = 1; next } here && /^[^ ]/ { exit } here && /IN|AS/ { printf " %s", $2 }')"
	done
done >said
cat said
for version in 5.2.0 6.0.1; do
	cat <<SAID
$version eggs-directory: buildout.cfg DEFAULT_VALUE
$version develop-eggs-directory: buildout.cfg DEFAULT_VALUE
$version bin-directory: buildout.cfg DEFAULT_VALUE
$version download-cache: buildout.cfg base.cfg
$version extends-cache: buildout.cfg base.cfg
SAID
done | diff - said || { echo "this is not so any more" >&2 && exit 1; }
