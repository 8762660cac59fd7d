#!/bin/bash
# Debian 12's memcached 1.6.18: /etc/memcached.conf says of itself that memcached runs
# as root where the file has no -u. The wrapper of the package's unit means to add
# "-u root" then, but asks Perl's grep for a text, which is always true: a file without
# -u, and with any other option, gives a memcached that refuses to start, "can't run as
# root without the -u switch". By the same slip every line that does not begin with a
# dash is passed over without a word, not only "logfile". Whoever writes this file
# writes -u.
#
# It downloads the packages by apt-get into a temporary folder, and needs Debian 12 and
# root, or namespaces for every user; it fails where any of this is not so any more.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
cd "$work"
for package in memcached=1.6.18-1+deb12u1 libevent-2.1-7=2.1.12-stable-8; do
	apt-get download -q -o APT::Sandbox::User=root "$package" >/dev/null
done
for file in ./*.deb; do dpkg -x "$file" .; done
wrapper=$work/usr/share/memcached/scripts/systemd-memcached-wrapper
LD_LIBRARY_PATH=$(dirname "$(find "$work" -name 'libevent-2.1.so.7' -print -quit)")
export LD_LIBRARY_PATH

as_root() { if ((EUID == 0)); then "$@"; else unshare --map-root-user "$@"; fi; }

# What the wrapper would run with a file of these lines.
would_run() {
	printf '%s\n' "$@" >memcached.conf
	as_root perl -e 'BEGIN { *CORE::GLOBAL::exec = sub { print "@_\n"; exit } } do shift' "$wrapper" memcached.conf
}
{
	would_run '-m 64' '-l 127.0.0.1' '-p 21211'
	would_run '-m 64' '-u memcache' 'logfile /var/log/memcached.log' 'conn-limit 2048'
	as_root timeout 5 usr/bin/memcached -m 64 -l 127.0.0.1 -p 21211 2>&1 || echo "status $?"
} >said
cat said
diff - said <<'SAID' || { echo "this is not so any more" >&2 && exit 1; }
/usr/bin/memcached -m 64 -l 127.0.0.1 -p 21211
/usr/bin/memcached -m 64 -u memcache
can't run as root without the -u switch
status 64
SAID
