#!/bin/bash
# From 80.3 on setuptools has no package_index, which zc.buildout 3.0.1 and 3.3 and
# mr.developer 2.0.2 import: the one does not start, the other ends every buildout that
# has it among its extensions, with "No module named 'setuptools.package_index'". Neither
# says in its metadata that it wants an older one, so pip installs them together. A pin of
# "setuptools<82", which keeps pkg_resources, does not help. zc.buildout 4.1.12 and 5.2.0
# and mr.developer 2.0.4 do without it.
#
# It installs the releases into a virtualenv of a temporary folder, needs python3 (3.9 to
# 3.13) with venv, and fails where any of this is not so any more.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
cd "$work"
python3 -m venv venv
install() { venv/bin/pip install -q --disable-pip-version-check "$@"; }
starts() { # MODULE
	venv/bin/python -W ignore -c "import $1" 2>error && echo starts || tail -n 1 error
}
install 'zc.buildout==5.2.0' 'mr.developer==2.0.2' 'six'
for setuptools in 80.2.0 80.9.0; do
	install "setuptools==$setuptools"
	for release in zc.buildout==3.0.1 zc.buildout==3.3 zc.buildout==4.1.12 zc.buildout==5.2.0; do
		install --no-deps "$release"
		printf 'setuptools %s, %s: %s\n' "$setuptools" "$release" "$(starts zc.buildout.buildout)"
	done
	for release in mr.developer==2.0.2 mr.developer==2.0.4; do
		install --no-deps "$release"
		printf 'setuptools %s, %s: %s\n' "$setuptools" "$release" "$(starts mr.developer.extension)"
	done
done >said
cat said
gone="ModuleNotFoundError: No module named 'setuptools.package_index'"
diff - said <<SAID || { echo "this is not so any more" >&2 && exit 1; }
setuptools 80.2.0, zc.buildout==3.0.1: starts
setuptools 80.2.0, zc.buildout==3.3: starts
setuptools 80.2.0, zc.buildout==4.1.12: starts
setuptools 80.2.0, zc.buildout==5.2.0: starts
setuptools 80.2.0, mr.developer==2.0.2: starts
setuptools 80.2.0, mr.developer==2.0.4: starts
setuptools 80.9.0, zc.buildout==3.0.1: $gone
setuptools 80.9.0, zc.buildout==3.3: $gone
setuptools 80.9.0, zc.buildout==4.1.12: starts
setuptools 80.9.0, zc.buildout==5.2.0: starts
setuptools 80.9.0, mr.developer==2.0.2: $gone
setuptools 80.9.0, mr.developer==2.0.4: starts
SAID
