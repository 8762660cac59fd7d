#!/bin/bash
# mxdev 5.4.1: a source of mx.ini replaces a requirement only where both are written alike,
# case apart. Of the source [toy-kit] the lines "Toy-Kit==1" and "toy-kit==1" go, but
# "toy_kit==1" and "toy.kit==1" stay, which pip takes for the same package; and so does
# "toy-kit==1  # why", since a line with a comment behind it is not looked at.
# requirements-mxdev.txt then asks for the checkout and for the release at once, which pip
# refuses. Constraints are the same.
#
# It installs mxdev into a virtualenv of a temporary folder, makes a source of its own
# there, needs python3 with venv and git, and fails where any of this is not so any more.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check mxdev==5.4.1 pip==25.3 setuptools==80.9.0 wheel==0.45.1
git init -q -b main toy
printf '[build-system]\nrequires = ["setuptools"]\n[project]\nname = "toy-kit"\nversion = "2"\n' >toy/pyproject.toml
git -C toy add .
git -C toy -c user.name=a -c user.email=a@example.org commit -qm a
mkdir project
printf '[settings]\nrequirements-in = in.txt\nrequirements-out = out.txt\n[toy-kit]\nurl = file://%s/toy\nbranch = main\n' "$work" >project/mx.ini
for line in 'toy-kit==1' 'Toy-Kit==1' 'toy_kit==1' 'toy.kit==1' 'toy-kit==1  # why'; do
	printf '%s\n' "$line" >project/in.txt
	(cd project && ../venv/bin/mxdev -s -c mx.ini >/dev/null 2>&1)
	kept=gone
	! grep -qxF -- "$line" project/out.txt || kept=stays
	grep -qx -- '-e ./sources/toy-kit' project/out.txt
	echo "$line: $kept"
done >said
cat said
diff - said <<'SAID' || { echo "this is not so any more" >&2 && exit 1; }
toy-kit==1: gone
Toy-Kit==1: gone
toy_kit==1: stays
toy.kit==1: stays
toy-kit==1  # why: stays
SAID
# What pip says of such a file.
printf '%s\n' 'toy_kit==1' >project/in.txt
(cd project && ../venv/bin/mxdev -s -c mx.ini >/dev/null 2>&1)
if (cd project && ../venv/bin/pip install --disable-pip-version-check --dry-run --no-index --no-build-isolation -r out.txt) >pip 2>&1; then
	echo "pip takes it now" >&2 && exit 1
fi
grep '^ERROR: Cannot install\|^ERROR: ResolutionImpossible' pip
