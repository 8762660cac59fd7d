package topology_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// Of hosts at public addresses the ports are told that only the stack's hosts are to
// reach; of what stays on the loopback, and of private addresses, nothing.
func TestPublicAddresses(t *testing.T) {
	const three = `{"instances": {"lb1": {"layers": ["lb"], "address": %q, "cpus": 1}, "app1": {"layers": ["plone_instances"], "address": %q, "cpus": 2},
	  "db1": {"layers": ["zeoserver"], "address": %q, "cpus": 1}}, "plone_instances": {"per_cpu": 1}, ` + apps + `}`
	const one = `{"instances": {"web1": {"layers": ["lb", "plone_instances", "zeoserver"], "address": "203.0.113.5", "cpus": 2}}, ` + apps + `}`
	const rel = `{"instances": {"lb1": {"layers": ["lb"], "address": "203.0.113.4", "cpus": 1}, "lb2": {"layers": ["lb"], "address": "203.0.113.5", "cpus": 1},
	  "app1": {"layers": ["plone_instances"], "address": "2001:db8::7", "cpus": 1}, "mem1": {"layers": ["memcached"], "address": "203.0.113.8", "cpus": 1}},
	  "plone_instances": {"instance_count": 1, "enable_relstorage": true, "relstorage": {"enable_cache": true, "db": {"type": "postgresql", "host": "10.0.0.9", "name": "plone", "user": "u"}}}, ` + apps + `}`
	for name, test := range map[string]struct {
		stack string
		want  []string
	}{
		"private":         {fmt.Sprintf(three, "10.0.0.1", "172.16.0.1", "192.168.0.1"), nil},
		"private, others": {fmt.Sprintf(three, "100.64.0.1", "fd00::1", "db1.example.org"), nil},
		"all on one host": {one, nil},
		"public": {fmt.Sprintf(three, "203.0.113.1", "203.0.113.2", "203.0.113.3"), []string{
			"app1: the public address 203.0.113.2 exposes client on 8081 to 8082, drain agent on 9080 to 9082",
			"db1: the public address 203.0.113.3 exposes ZEO server on 8001",
			"lb1: the public address 203.0.113.1 exposes Varnish (purge) on 6082",
		}},
		"sticky sessions": {strings.Replace(rel, `"instance_count": 1`, `"instance_count": 1, "sticky_sessions": true`, 1), []string{
			"app1: the public address 2001:db8::7 exposes client on 8081, drain agent on 9080 to 9081",
			"lb1: the public address 203.0.113.4 exposes Varnish (purge) on 6082, HAProxy (peers) on 10000",
			"lb2: the public address 203.0.113.5 exposes Varnish (purge) on 6082, HAProxy (peers) on 10000",
			"mem1: the public address 203.0.113.8 exposes memcached on 11211",
		}},
		"RelStorage, IPv6": {rel, []string{
			"app1: the public address 2001:db8::7 exposes client on 8081, drain agent on 9080 to 9081",
			"lb1: the public address 203.0.113.4 exposes Varnish (purge) on 6082",
			"lb2: the public address 203.0.113.5 exposes Varnish (purge) on 6082",
			"mem1: the public address 203.0.113.8 exposes memcached on 11211",
		}},
	} {
		_, diags := resolve(t, test.stack)
		var got []string
		for _, d := range diags {
			if d.Code == "public-address" {
				got = append(got, strings.TrimPrefix(d.Path, "instances.")+": "+d.Message)
			}
		}
		slices.Sort(got)
		if !slices.Equal(got, test.want) {
			t.Errorf("%s: got\n%s\nwant\n%s", name, strings.Join(got, "\n"), strings.Join(test.want, "\n"))
		}
	}
}
