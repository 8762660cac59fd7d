package render

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/plonec/plonec/internal/service"
	"github.com/plonec/plonec/internal/topology"
	"github.com/plonec/plonec/schema"
)

// fronts are front ends of every kind.
var fronts = map[string]func(*topology.Host){
	"two clients": func(*topology.Host) {},
	"one client of one thread": func(h *topology.Host) {
		b := h.Front.Backends[0]
		b.Servers = b.Servers[:1]
		b.Servers[0].MaxConn = 1
	},
	"no clients":            func(h *topology.Host) { h.Front.Backends[0].Servers = nil },
	"no backends, no sites": func(h *topology.Host) { h.Front.Backends, h.Front.Sites = nil, nil },
	"no statistics":         func(h *topology.Host) { h.Front.Stats = false },
	"no domain":             noDomain,
	"no domain, TLS":        func(h *topology.Host) { noDomain(h); withTLS(h) },
	"TLS":                   withTLS,
	"several balancers": func(h *topology.Host) {
		h.Front.Backends[0].Sticky = true
		h.Front.Balancers = []topology.Balancer{{Name: "web1", Address: "127.0.0.1"}, {Name: "web2", Address: "fd00::2"}}
		h.Front.PurgeBind = []string{"127.0.0.1", "127.0.0.2"}
		h.Front.PurgeFrom = []string{"10.0.2.11", "10.0.3.0/24", "fd00::21", "nowhere.invalid"}
	},
	"several apps": func(h *topology.Host) {
		intra := &topology.Backend{Name: "intra.net", Servers: manyServers(8)}
		for _, name := range []string{"intra.example.com", "staff.example.com"} {
			intra.Prefixes = append(intra.Prefixes, "/VirtualHostBase/http/"+name+":80/", "/VirtualHostBase/https/"+name+":443/")
		}
		h.Front.Backends = append(h.Front.Backends, intra)
		h.Front.Sites = append(h.Front.Sites, &topology.Site{App: "intra.net", Names: []string{"intra.example.com", "staff.example.com"}, Path: "Intra"})
	},
	"Volto": func(h *topology.Host) {
		shownBy()(h)
		h.Front.APIBind = "127.0.0.2"
		h.Front.Backends[0].Voltos = manyServers(8)
	},
	"Volto of two apps, one by a pattern": func(h *topology.Host) {
		shownBy()(h)
		prefix := "/VirtualHostBase/http/www.example.com:80/"
		h.Front.Backends[0].Prefixes = []string{prefix}
		h.Front.Backends = append(h.Front.Backends,
			&topology.Backend{Name: "intra.net", Servers: manyServers(8), Volto: true, Patterns: []string{"^/VirtualHostBase/https?/[^/:]+\\.example\\.com:(80|443)/"}},
			&topology.Backend{Name: "third", Servers: manyServers(8), Prefixes: []string{prefix + "third/"}})
		h.Front.Sites = append(h.Front.Sites, &topology.Site{App: "intra.net", Names: []string{"*.example.com"}, Path: "Intra", Main: true, Volto: true})
		h.Front.APIBind = "fd00::10"
	},
	"everything set": func(h *topology.Host) {
		h.Front.HaproxyBind, h.Front.VarnishBind = "0.0.0.0", "::"
		s := h.Stack
		s.Plonec.TrustedProxies = []string{"10.0.0.0/8", "fd00::/8"}
		connections, workers := 20_000, 3
		s.Haproxy.GlobalMaxConnections, s.Haproxy.DefaultMaxConnections = &connections, &connections
		s.Haproxy.HTTPClose, s.Haproxy.StatsSocketLevel = true, "operator"
		s.Haproxy.CheckInterval, s.Haproxy.HealthCheckMethod, s.Haproxy.HealthCheckURL = fast, "OPTIONS", "/a?b=c&d=%20#'"
		s.Nginx.WorkerProcesses = &workers
		s.NginxPlone.EnableSSI = true
		s.Varnish.StorageSize = "64M"
		for i := range h.Front.Backends[0].Servers {
			h.Front.Backends[0].Servers[i].Address = []string{"localhost", "fd00::21"}[i%2]
		}
	},
	"all rules of visitors":                            rules,
	"all rules of visitors, without a name":            func(h *topology.Host) { noDomain(h); rules(h) },
	"all rules of visitors, without a name or Varnish": func(h *topology.Host) { noDomain(h); rules(h); noVarnish(h) },
	"all rules of visitors, with Volto":                func(h *topology.Host) { shownBy()(h); h.Front.Backends[0].Voltos = manyServers(2); rules(h) },
	"no Varnish":                                       noVarnish,
	"many clients":                                     func(h *topology.Host) { h.Front.Backends[0].Servers = manyServers(400) },
}

// rules sets all that is about visitors.
func rules(h *topology.Host) {
	h.Address = "127.9.9.9" // where nginx can tell its figures
	s, main := h.Stack, h.Front.Sites[0]
	main.TLS = true
	if len(main.Names) > 0 {
		main.Canonical = main.Names[0]
		main.Names = append(main.Names, "*.example.com")
	}
	n := s.NginxPlone
	n.ZMI, n.Status, n.ErrorPage, n.MaintenancePage = []string{"0.0.0.0/0", "::/0", "10.0.0.1"}, []string{"127.0.0.1"}, sorryPage, sorryPage
	n.RedirectHTTPS, n.HSTS, n.EnableSSI = true, schema.Seconds(time.Hour), true
	s.Haproxy.StatsAllow = []string{"10.0.0.0/8", "10.9.9.9/8"}
	s.Haproxy.AdditionalConfig = "listen own\n    bind 127.0.0.1:1\n"
	s.VarnishPlone.CookiesVary, s.VarnishPlone.BanHeader = map[string][]string{"a.b": {"x", "y+z%"}, "C": {"1"}}, "xkey"
	s.VarnishPlone.VCL = schema.VCL{Recv: "set req.http.X = \"1\";", Hash: "hash_data(req.http.X);", Deliver: "unset resp.http.X-Cache;"}
}

func noVarnish(h *topology.Host) {
	h.Stack.NginxPlone.ProxyPort = service.HaproxyPort
	h.Front.Cache, h.Front.VarnishBind, h.Front.PurgeBind = false, "", nil
}

func withTLS(h *topology.Host) { h.Front.Sites[0].TLS = true }

// haproxyAccepts lets HAProxy judge, as its unit starts it; a warning is a failure.
func (f *front) haproxyAccepts() {
	f.t.Helper()
	cmd := exec.Command(program(f.t, "haproxy"), append([]string{"-c", "-dW"}, f.haproxyArgs()...)...)
	state := filepath.Join(f.dir, "server-state")
	if err := os.WriteFile(state, []byte("1\n"), 0o644); err != nil {
		f.t.Fatal(err)
	}
	// 3.2 warns of an empty one, though the line is in a block that asks whether there is one.
	cmd.Env = append(os.Environ(), "PLONEC_SERVER_STATE="+state)
	if out, err := cmd.CombinedOutput(); err != nil {
		f.t.Errorf("haproxy: %v\n%s", err, out)
	}
}

// TestFrontAccepted lets the daemons judge every kind of front end. Anything
// that HAProxy warns of is a failure, and so is a word of nginx or varnishd
// that is not their usual one.
func TestFrontAccepted(t *testing.T) {
	t.Parallel()
	certificate, key := selfSigned(t, "www.example.com")
	for name, change := range fronts {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFront(t, frontHost(change, func(h *topology.Host) {
				h.Stack.Deploy["plone"].SSLCertificate = schema.Certificate{Text: certificate}
			}))
			f.haproxyAccepts()
			if _, ok := f.files["/etc/nginx/ssl/plone.crt"]; ok {
				f.write("/etc/nginx/ssl/plone.crt")
				if err := os.WriteFile(filepath.Join(f.dir, "etc/nginx/ssl/plone.key"), []byte(key), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			out, err := exec.Command(program(t, "nginx"), append(f.nginxArgs(), "-t", "-q")...).CombinedOutput()
			if err != nil || len(out) > 0 {
				t.Errorf("nginx: %v\n%s", err, out)
			}
			if _, ok := f.files[vclFile]; !ok {
				return
			}
			out, err = exec.Command(program(t, "varnishd"), "-C", "-f", f.write(vclFile), "-n", f.dir+"/varnish").CombinedOutput()
			if err != nil {
				t.Errorf("varnishd: %v\n%s", err, out)
			}
		})
	}
}

// TestFrontUnits lets systemd read the drop-ins beside the packages' own units.
func TestFrontUnits(t *testing.T) {
	t.Parallel()
	f := newFront(t, frontHost(fronts["several balancers"]))
	scripts := hostScripts(t)
	for _, unit := range []string{"haproxy.service", "nginx.service", "varnish.service"} {
		own, err := os.ReadFile("/lib/systemd/system/" + unit)
		if err != nil {
			t.Fatal(err)
		}
		f.files["/etc/systemd/system/"+unit] = string(own)
		for name, text := range f.files {
			if strings.HasPrefix(name, "/etc/systemd/system/"+unit+".d/") {
				f.files[name] = strings.ReplaceAll(text, ScriptDir, scripts)
				f.write(name)
			}
		}
		if text := f.files["/etc/systemd/system/"+unit+".d/plonec-restart.conf"]; !strings.Contains(text, "\nRestart=always\n") || !strings.Contains(text, "\nStartLimitBurst=") {
			t.Errorf("%s stays dead, or is started without an end:\n%s", unit, text)
		}
		if out := verify(t, f.write("/etc/systemd/system/"+unit)); out != "" {
			t.Errorf("%s: %s", unit, out)
		}
	}
	args := strings.Join(f.varnishArgs(), " ")
	for _, want := range []string{"-a main=127.0.0.1:", "-a purge=127.0.0.1:", "-a purge=127.0.0.2:", "-s malloc,256M"} {
		if !strings.Contains(args, want) {
			t.Errorf("%s: no %s", args, want)
		}
	}
}

// TestVarnishOff: a front end without Varnish has nothing of it.
func TestVarnishOff(t *testing.T) {
	t.Parallel()
	h := frontHost(noVarnish)
	for path, text := range rendered(t, h) {
		if strings.Contains(path, "varnish") || path == "/etc/plonec/host.env" && !strings.Contains(text, "SERVICES='haproxy plonec-statesync nginx'\n") {
			t.Errorf("%s:\n%s", path, text)
		}
	}
	if list := Packages(h); slices.Contains(list, "varnish") || !slices.Contains(Packages(frontHost()), "varnish") {
		t.Errorf("packages: %v", list)
	}
}

// TestMemoryShare: a part of the memory is a size by the time that varnishd is told
// of it, since 7.1 refuses a percentage, which 7.7 takes; and it takes that size.
func TestMemoryShare(t *testing.T) {
	t.Parallel()
	f := newFront(t, frontHost(func(h *topology.Host) { h.Stack.Varnish.StorageSize = "3%" }))
	own, err := os.ReadFile("/lib/systemd/system/varnish.service")
	if err != nil {
		t.Fatal(err)
	}
	f.files["/etc/systemd/system/varnish.service"] = string(own)
	f.write(varnishUnit)
	if out := verify(t, f.write("/etc/systemd/system/varnish.service")); out != "" {
		t.Error(out)
	}
	meminfo, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		t.Fatal(err)
	}
	var kib int
	if _, err := fmt.Sscanf(string(meminfo), "MemTotal: %d kB", &kib); err != nil {
		t.Fatal(err)
	}
	// systemd writes one dollar for two.
	_, line, _ := strings.Cut(strings.ReplaceAll(f.files[varnishUnit], "$$", "$"), "\nExecStart=/bin/sh -c ")
	line, _, _ = strings.Cut(strings.ReplaceAll(line, "\\\n", " "), "\n")
	out, err := exec.Command("sh", "-c", "sh -c "+strings.Replace(line, "/usr/sbin/varnishd", "echo", 1)).CombinedOutput()
	size := fmt.Sprintf("malloc,%dk", kib*3/100)
	if err != nil || !strings.HasSuffix(string(out), "/etc/varnish/default.vcl -s "+size+"\n") {
		t.Errorf("%v: %s", err, out)
	}
	f.write(vclFile)
	f.files[varnishUnit] = strings.ReplaceAll(f.files[varnishUnit], "/usr/sbin/varnishd", program(t, "varnishd")+" -n "+f.dir+"/varnish")
	_, line, _ = strings.Cut(strings.ReplaceAll(f.files[varnishUnit], "$$", "$"), "\nExecStart=/bin/sh -c ")
	d := run(t, nil, "sh", "-c", "exec sh -c "+line)
	d.listens(f.ports.cache)
}

// TestManyNames: a line of HAProxy's holds 64 words, and what grows with the
// stack has lines of its own.
func TestManyNames(t *testing.T) {
	t.Parallel()
	f := newFront(t, frontHost(func(h *topology.Host) {
		b := &topology.Backend{Name: "b"}
		for _, s := range manyServers(300) {
			b.Prefixes = append(b.Prefixes, "/VirtualHostBase/http/"+s.Name+":80/")
		}
		for range 100 {
			c := *b
			c.Name = strings.Repeat("b", len(h.Front.Backends))
			h.Front.Backends = append(h.Front.Backends, &c)
		}
	}))
	f.haproxyAccepts()
}

func BenchmarkHaproxy20000Servers(b *testing.B) {
	h := frontHost(func(h *topology.Host) { h.Front.Backends[0].Servers = manyServers(20_000) })
	for b.Loop() {
		if _, err := Host(h); err != nil {
			b.Fatal(err)
		}
	}
}
