package render

import (
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/plonec/plonec/internal/topology"
	"github.com/plonec/plonec/schema"
)

// frontArtifacts are the files of a front end, in the order in which a request
// meets them: nginx, Varnish, HAProxy.
var frontArtifacts = []Artifact{
	{Template: "nginx.conf.tmpl", Each: onFront("/etc/nginx/nginx.conf", "reload:nginx.service")},
	{Template: "nginx.crt.tmpl", Each: certificates},
	{Template: "nginx.logrotate.tmpl", Each: onFront("/etc/logrotate.d/nginx")},
	{Template: "default.vcl.tmpl", Each: onCache("/etc/varnish/default.vcl", "reload:varnish.service")},
	{Template: "varnish.service.tmpl", Each: onCache("/etc/systemd/system/varnish.service.d/plonec.conf", "restart:varnish.service")},
	{Template: "haproxy.cfg.tmpl", Each: onFront("/etc/haproxy/haproxy.cfg", "reload:haproxy.service")},
	{Template: "haproxy.default.tmpl", Each: onFront("/etc/default/haproxy", "restart:haproxy.service")},
	{Template: "haproxy.service.tmpl", Each: onFront("/etc/systemd/system/haproxy.service.d/plonec.conf", "restart:haproxy.service")},
	{Template: "restart.service.tmpl", Each: restarts},
}

// restarts gives each daemon what starts it again when it dies. Nothing needs a
// restart for that.
func restarts(h *topology.Host) []Instance {
	var all []Instance
	for _, s := range h.Services() {
		if s.Packaged() {
			all = append(all, Instance{Path: unitDir + s.Unit + ".d/plonec-restart.conf", Data: frontView{h}})
		}
	}
	return all
}

// usersCfg holds HAProxy's users. The package's unit is always told of it, so
// that it is there without users too: then a reload is enough when some come. It
// is a secret even then: what is on the host may still have some.
const usersCfg = "/etc/haproxy/users.cfg"

// Userlist is the name of the userlist in a SecretFile of format userlist.
const Userlist = "plonec"

// HealthPath is topology's.
const HealthPath = topology.HealthPath

// frontView is what the templates of a front end see.
type frontView struct {
	*topology.Host
}

func (frontView) HealthPath() string { return HealthPath }
func (frontView) Userlist() string   { return Userlist }

// onFront gives an artifact's one file on a front end.
func onFront(path string, effects ...string) func(*topology.Host) []Instance {
	return func(h *topology.Host) []Instance {
		if h.Front == nil {
			return nil
		}
		return []Instance{{Path: path, Effects: effects, Data: frontView{h}}}
	}
}

// onCache gives an artifact's one file on a front end with Varnish.
func onCache(path string, effects ...string) func(*topology.Host) []Instance {
	each := onFront(path, effects...)
	return func(h *topology.Host) []Instance {
		if h.Front == nil || !h.Front.Cache {
			return nil
		}
		return each(h)
	}
}

// certificates gives the certificate of each app that has a TLS server. The
// key beside it is a secret.
func certificates(h *topology.Host) []Instance {
	var all []Instance
	for _, app := range tlsApps(h) {
		all = append(all, Instance{
			Path:    certificatePath(app),
			Effects: []string{"reload:nginx.service"},
			Data:    h.Stack.Deploy[app],
		})
	}
	return all
}

// frontSecrets gives the users of HAProxy's statistics, the secrets that
// nginx.conf includes, and the keys of nginx's certificates.
func frontSecrets(h *topology.Host) []SecretFile {
	if h.Front == nil {
		return nil
	}
	users := SecretFile{Path: usersCfg, Mode: 0o640, Owner: "root:haproxy", Effects: []string{"reload:haproxy.service"}, Format: "userlist"}
	if h.Front.Stats {
		users.Entries = append(users.Entries, entry(h.Stack.Haproxy.StatsUser, h.Stack.Haproxy.StatsPassword))
	}
	files := append([]SecretFile{users}, nginxSecrets(frontView{h})...)
	for _, app := range tlsApps(h) {
		if key := h.Stack.Deploy[app].SSLCertificateKey; key.IsSet() {
			files = append(files, SecretFile{
				Path: keyPath(app), Mode: 0o600, Owner: "root:root", Effects: []string{"reload:nginx.service"}, Format: "raw",
				Entries: []SecretEntry{entry("", key)},
			})
		}
	}
	return files
}

// tlsApps lists the apps with a TLS server, sorted.
func tlsApps(h *topology.Host) []string {
	if h.Front == nil {
		return nil
	}
	apps := map[string]bool{}
	for _, s := range h.Front.Sites {
		if s.TLS && h.Stack.Deploy[s.App] != nil {
			apps[s.App] = true
		}
	}
	return slices.Sorted(maps.Keys(apps))
}

func certificatePath(app string) string { return "/etc/nginx/ssl/" + app + ".crt" }
func keyPath(app string) string         { return "/etc/nginx/ssl/" + app + ".key" }

// reach is the address at which what binds bind is reached on its own host.
func reach(bind string) string {
	switch bind {
	case "", "*", "0.0.0.0":
		return "127.0.0.1"
	case "::":
		return "::1"
	}
	return bind
}

// duration writes a duration in a form that HAProxy, nginx and Varnish read:
// whole seconds where it is some, else milliseconds.
func duration(v any) string {
	var d time.Duration
	switch v := v.(type) {
	case schema.Seconds:
		d = time.Duration(v)
	case schema.Millis:
		d = time.Duration(v)
	case time.Duration:
		d = v
	}
	if d%time.Second == 0 {
		return strconv.FormatInt(int64(d/time.Second), 10) + "s"
	}
	return strconv.FormatInt(int64((d+time.Millisecond-1)/time.Millisecond), 10) + "ms"
}

// isName tells a DNS name from an IP address.
func isName(address string) bool { return net.ParseIP(strings.Trim(address, "[]")) == nil }
