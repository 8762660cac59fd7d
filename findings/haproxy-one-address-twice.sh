#!/bin/bash
# Debian 12's HAProxy 2.6.12: two frontends that bind the same address and port are a
# valid configuration, "haproxy -c" and "-dW", by which warnings are errors, included. Both
# listen: HAProxy binds with SO_REUSEPORT, which lets one process do it twice. The kernel
# then gives each connection to one of the two by chance, so that about half of the visitors
# get the other frontend, and a test with one request passes half of the time. Whoever adds
# text of somebody else's to a haproxy.cfg looks for the address himself.
#
# It downloads the packages by apt-get into a temporary folder, and needs Debian 12, curl
# and the port 21380 of the loopback; it fails where any of this is not so any more.
set -euo pipefail
work=$(mktemp -d)
pid=''
end() {
	[ -z "$pid" ] || kill "$pid" 2>/dev/null || :
	rm -rf -- "$work"
}
trap end EXIT
cd "$work"
for package in haproxy=2.6.12-1+deb12u4 liblua5.3-0=5.3.6-2 libopentracing-c-wrapper0=1.1.3-3+b1 libopentracing1=1.6.0-4; do
	apt-get download -q -o APT::Sandbox::User=root "$package" >/dev/null
done
for file in ./*.deb; do dpkg -x "$file" .; done
LD_LIBRARY_PATH=$(dirname "$(find "$work" -name 'liblua5.3.so.0' -print -quit)")
export LD_LIBRARY_PATH

cat >haproxy.cfg <<'CFG'
defaults
    mode http
    timeout client 5s
    timeout server 5s
    timeout connect 5s
frontend one
    bind 127.0.0.1:21380
    http-request return status 200 content-type text/plain string one
frontend two
    bind 127.0.0.1:21380
    http-request return status 200 content-type text/plain string two
CFG
usr/sbin/haproxy -c -dW -f haproxy.cfg
usr/sbin/haproxy -db -f haproxy.cfg &
pid=$!
for _ in $(seq 50); do
	! curl -fs http://127.0.0.1:21380/ >/dev/null || break
	sleep 0.1
done
for _ in $(seq 200); do curl -fs http://127.0.0.1:21380/ && echo; done | sort | uniq -c | tee said
one=$(awk '$2 == "one" { print $1 }' said) two=$(awk '$2 == "two" { print $1 }' said)
((${one:-0} > 40 && ${two:-0} > 40)) || { echo "this is not so any more" >&2 && exit 1; }
