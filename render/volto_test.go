package render

import (
	"net"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/plonec/plonec/internal/topology"
	"github.com/plonec/plonec/schema"
)

// shownBy puts processes of Volto before the first app of a front end.
func shownBy(voltos ...*client) func(*topology.Host) {
	return func(h *topology.Host) {
		b := h.Front.Backends[0]
		b.Volto = true
		for _, v := range voltos {
			b.Voltos = append(b.Voltos, v.line())
		}
		for _, s := range h.Front.Sites {
			s.Volto = s.Main && s.App == b.Name
		}
	}
}

// voltoHost is a host of two processes of Volto.
func voltoHost() *topology.Host {
	h := processHost()
	h.Roles = []topology.Role{topology.Volto}
	h.Stack.Volto = &schema.Volto{Node: "24.21.0", Memory: "1G"}
	a := h.Apps[0]
	a.Clients, a.Zeo, a.Commands, a.Storage = nil, nil, nil, topology.Storage{}
	s := &topology.Site{App: "site", Names: []string{"www.example.com"}, Path: "Plone", Main: true, TLS: true, Volto: true}
	for n, name := range []string{"volto1", "volto2"} {
		a.Voltos = append(a.Voltos, &topology.VoltoProcess{Node: "24.21.0", Balancer: "10.0.1.10:8080", Site: s, Process: topology.Process{
			App: a, N: n + 1, Name: name, Unit: "plone-site-" + name + ".service", Address: "10.0.0.11", Port: 3001 + n, AgentPort: 4001 + n}})
	}
	return h
}

// The unit runs Node itself, in Volto's folder, and tells it where it listens, what the
// site's address is and where inside the API is; Node may make code as it runs.
func TestVoltoUnit(t *testing.T) {
	unit := content(t, voltoHost(), "/etc/systemd/system/plone-site-volto2.service")
	for _, want := range []string{
		"\nWorkingDirectory=/srv/www/site/current/.volto\n",
		"\nConditionPathExists=/srv/www/site/current/.volto/build/server.js\n",
		" RAZZLE_BIND_ADDRESS=10.0.0.11 PORT=3002 RAZZLE_API_PATH=https://www.example.com RAZZLE_INTERNAL_API_PATH=http://10.0.1.10:8080/VirtualHostBase/https/www.example.com:443/Plone/VirtualHostRoot /opt/plonec/node/24.21.0/bin/node build/server.js\n",
		"\nMemoryMax=1G\n", " drain site %N 3002 60\n", " up site %N 10.0.0.11 3002 /ok / 180\n", "\nReadWritePaths=/srv/www/site/shared\n",
	} {
		if !strings.Contains(strings.ReplaceAll(unit, `"`, ""), want) {
			t.Errorf("the unit has no %q:\n%s", want, unit)
		}
	}
	if strings.Contains(unit, "MemoryDenyWriteExecute") || !strings.Contains(unit, "NoNewPrivileges=yes") {
		t.Error(unit)
	}
	agent := content(t, voltoHost(), "/etc/systemd/system/plonec-agent.service")
	for _, want := range []string{"10.0.0.11,9080,*", "10.0.0.11,4001,plone-site-volto1", "10.0.0.11,4002,plone-site-volto2"} {
		if !strings.Contains(agent, want) {
			t.Errorf("the agent has no %s", want)
		}
	}
	if got := needs(voltoHost().Apps[0]); !slices.Equal(got, []string{".volto/build/server.js"}) {
		t.Error(got)
	}
	if out := verifyUnits(t, voltoHost()); out != "" {
		t.Errorf("systemd-analyze says:\n%s", out)
	}
}

// TestChainVolto: visitors have Volto's pages at their own paths; the API, other names of
// Zope's and its management interface go to the clients, as nginx writes them.
func TestChainVolto(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*topology.Host){"with Varnish": func(*topology.Host) {}, "without": noVarnish, "any name": noDomain} {
		t.Run(name, func(t *testing.T) {
			volto := newClient(t, "v1", 4)
			f, clients := chained(t, shownBy(volto), change)
			until(t, "Volto is up", func() bool { return f.server("v1") == "UP" })
			cached := f.files[vclFile] != ""
			get := func(target string, headers ...string) answer {
				t.Helper()
				a := f.ask("GET", "www.example.com", target, headers...)
				if a.Status != 200 {
					t.Errorf("%s: %v", target, a)
				}
				return a
			}
			for target, path := range map[string]string{
				"/": "/", "/news/a%20b?x=1%2F2": "/news/a%20b?x=1%2F2", "/caf%C3%A9": "/caf%C3%A9", "/management": "/management",
				"/news/++api++x": "/news/++api++x", "/static/a.js": "/static/a.js", "/@@images/x": "/@@images/x", "/%2541": "/%2541",
			} {
				if a := get(target, "X-Volto: 0"); a.Header.Get("X-Client") != "v1" {
					t.Errorf("%s is answered by %s", target, a.Header.Get("X-Client"))
				}
				if seen := volto.requests(path); len(seen) == 0 || seen[len(seen)-1].RequestURI != path || seen[len(seen)-1].Host != "www.example.com" || seen[len(seen)-1].Header.Get("X-Volto") != "" {
					t.Errorf("%s: Volto sees no %s: %v", target, path, seen)
				}
			}
			for _, target := range []string{"/++api++/@search?x=1", "/++api++", "/%2b%2bapi%2b%2b/x", "/++resource++a/b.css", "/++plone++static/c.css", "/acl_users/oidc/callback", "/manage_main", "/a/b/@@manage_main", "/misc_/x"} {
				if a := get(target, "X-Volto: 1"); a.Header.Get("X-Client") == "v1" {
					t.Errorf("%s is answered by Volto", target)
				}
			}
			if n := sent(clients, site+"/++api++/@search?x=1"); n != 1 {
				t.Errorf("the clients see the API's request %d times", n)
			}
			// What Volto asks inside goes to the clients, whatever it asks for.
			if a := f.direct("GET", site+"/page"); a.Header.Get("X-Client") == "v1" {
				t.Error("Volto asks itself")
			}
			if !cached {
				return
			}
			twice := func(target string, headers ...string) string {
				t.Helper()
				get(target, headers...)
				return get(target, headers...).Header.Get("X-Cache")
			}
			if got := twice("/silent"); got != "MISS" {
				t.Errorf("a page of Volto's that says nothing of it is kept: %s", got)
			}
			if got := twice("/told?h=Cache-Control:+max-age=60"); got != "HIT" {
				t.Errorf("one that says so is not: %s", got)
			}
			const before = "/before?h=Cache-Control:+max-age=60"
			if a := ask(t, f.ports.cache, "GET", "www.example.com", site+before); a.Header.Get("X-Client") == "v1" {
				t.Error("without nginx's mark it is Volto's")
			}
			if a := get(before); a.Header.Get("X-Client") != "v1" {
				t.Error("Zope's page is shown, which was here before")
			}
			if a := ask(t, f.ports.purge, "PURGE", "x", site+"/told?h=Cache-Control:+max-age=60"); a.Status != 200 {
				t.Error(a)
			}
			if got := get("/told?h=Cache-Control:+max-age=60").Header.Get("X-Cache"); got != "MISS" {
				t.Errorf("it is there after a purge: %s", got)
			}
		})
	}
}

// Volto closes what was idle for 5 s, so no balancer has anything to use then: each
// connection has one request.
func TestVoltoIdle(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		control bool
	}{{"", false}, {"control: kept", true}} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			volto := newClient(t, "v1", 4)
			volto.stop()
			var mu sync.Mutex
			requests, connections := 0, map[string]bool{}
			server := &http.Server{Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/page" {
					mu.Lock()
					defer mu.Unlock()
					requests++
					connections[r.RemoteAddr] = true
				}
			})}
			go server.Serve(listen(t, volto.at()))
			t.Cleanup(func() { server.Close() })
			f := balanced(t, frontHost(servedBy(newClient(t, "c1", 4)), shownBy(volto), func(h *topology.Host) { h.Stack.Haproxy.HTTPServerClose = false }), func(f *front) {
				if test.control {
					f.swap(haproxyCfg, "    option http-server-close\n    http-reuse never\n", "    http-reuse always\n")
				}
			})
			until(t, "Volto is up", func() bool { return f.server("v1") == "UP" })
			conn, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(f.ports.balancer)))
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			conn.SetDeadline(time.Now().Add(10 * time.Second))
			buffer := make([]byte, 4096)
			for range 3 {
				if _, err := conn.Write([]byte("GET " + site + "/page HTTP/1.1\r\nHost: x\r\nX-Volto: 1\r\n\r\n")); err != nil {
					t.Fatal(err)
				}
				if n, err := conn.Read(buffer); err != nil || !strings.HasPrefix(string(buffer[:n]), "HTTP/1.1 200") {
					t.Fatalf("%v: %s", err, buffer[:n])
				}
			}
			mu.Lock()
			defer mu.Unlock()
			if requests != 3 || (len(connections) == 3) == test.control {
				t.Errorf("%d requests by %d connections", requests, len(connections))
			}
		})
	}
}

// A process that runs below its release notes that release, as one that runs in it does.
func TestStartedBelowTheRelease(t *testing.T) {
	root := t.TempDir()
	const release = "20261130180000"
	for _, below := range []string{"", "/frontend/core/packages/volto"} {
		dir := root + "/srv/releases/site/releases/" + release + below
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		process := exec.Command("/bin/sleep", "60")
		process.Dir = dir
		if err := process.Start(); err != nil {
			t.Fatal(err)
		}
		hook := exec.Command(hostScripts(t)+"/unit", "started", "site", "plone-site-volto1")
		hook.Env = append(os.Environ(), "PLONEC_ROOT="+root, "MAINPID="+strconv.Itoa(process.Process.Pid))
		out, err := hook.CombinedOutput()
		process.Process.Kill()
		process.Wait()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		noted, err := os.ReadFile(root + "/run/plonec/started/plone-site-volto1.service")
		if err != nil || !strings.HasPrefix(string(noted), "release="+release+"\n") {
			t.Errorf("%q: %v %s", below, err, noted)
		}
	}
}
