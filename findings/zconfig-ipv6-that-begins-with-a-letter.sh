#!/bin/bash
# ZConfig 4.3 takes an IPv6 address where it takes ipaddr-or-hostname, as Zope's
# trusted-proxy does, only if it begins with a digit or a colon: the pattern for names comes
# before that for addresses, matches as far as the first colon, and what is left over
# makes the value wrong. So fd00::7, an address of the private range of IPv6, is "did not
# match regular expression", and a Zope that is told to trust it does not start;
# 2001:db8::7 and ::1 are taken.
#
# It downloads ZConfig by pip into a temporary folder; it fails where this is not so any more.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q ZConfig==4.3
"$work/venv/bin/python" - >"$work/said" <<'PYTHON'
from ZConfig.datatypes import IpaddrOrHostname

for address in "2001:db8::7", "::1", "fd00::7", "fe80::1":
    try:
        print(IpaddrOrHostname()(address))
    except ValueError as e:
        print(f"{address} is refused")
PYTHON
cat "$work/said"
diff - "$work/said" <<'SAID' || { echo "this is not so any more" >&2 && exit 1; }
2001:db8::7
::1
fd00::7 is refused
fe80::1 is refused
SAID
