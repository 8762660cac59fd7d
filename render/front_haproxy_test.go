package render

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/plonec/plonec/internal/topology"
)

// balanced starts HAProxy alone before clients.
func balanced(t *testing.T, h *topology.Host, change ...func(*front)) *front {
	t.Helper()
	f := newFront(t, h)
	for _, x := range change {
		x(f)
	}
	f.haproxy()
	until(t, "a client is up", func() bool { return f.direct("GET", HealthPath).Status == 200 })
	return f
}

// direct asks HAProxy.
func (f *front) direct(method, target string, headers ...string) answer {
	f.t.Helper()
	return ask(f.t, f.ports.balancer, method, "x", target, headers...)
}

// reload does what the unit does. From when the state of the servers is saved
// until the new worker answers, it is known that HAProxy reloads.
func (f *front) reload() {
	f.t.Helper()
	f.write(haproxyCfg)
	text, err := os.ReadFile(f.dir + "/haproxy.pid")
	if err != nil {
		f.t.Fatal(err)
	}
	before := f.worker()
	saved, reloading := f.stateFile(), f.dir+"/reloading"
	old, err := os.Stat(saved)
	if err != nil {
		f.t.Fatal(err)
	}
	cmd := exec.Command(hostScripts(f.t)+"/unit", "reload-haproxy", f.dir+"/admin.sock", strings.Fields(string(text))[0])
	cmd.Env = append(os.Environ(), "PLONEC_SERVER_STATE="+saved)
	ended := make(chan string)
	go func() {
		out, err := cmd.CombinedOutput()
		if err != nil {
			out = fmt.Append(out, err)
		}
		ended <- string(out)
	}()
	for {
		select {
		case out := <-ended:
			if out != "" {
				f.t.Fatal(out)
			}
			if f.worker() == before {
				f.t.Error("no new worker answers")
			}
			if _, err := os.Stat(reloading); err == nil {
				f.t.Error("it still reloads")
			}
			return
		case <-time.After(time.Millisecond):
			now, _ := os.Stat(saved)
			_, none := os.Stat(reloading)
			if now.ModTime() != old.ModTime() && none != nil && f.worker() == before {
				f.t.Error("nobody knows that it reloads")
			}
		}
	}
}

// worker gives the process that answers at the socket.
func (f *front) worker() string {
	for _, line := range strings.Split(f.admin("show info"), "\n") {
		if strings.HasPrefix(line, "Pid:") {
			return line
		}
	}
	return ""
}

// TestBusy: clients all of whose threads are at work for longer than checks may take
// stay up, one or two balancers before them; and each works on as many requests at once
// as it has threads.
func TestBusy(t *testing.T) {
	t.Parallel()
	byHTTP := func(f *front) {
		f.swap(haproxyCfg, "    balance leastconn\n", "    balance leastconn\n    option httpchk GET /ok\n")
	}
	for _, test := range []struct {
		name             string
		threads, fronts  int
		change           func(*front)
		fails, takesLong bool
	}{
		{"one thread", 1, 1, func(*front) {}, false, false},
		{"two threads", 2, 1, func(*front) {}, false, false},
		{"three threads, two balancers", 3, 2, func(*front) {}, false, false},
		{"control: checks by HTTP", 2, 1, byHTTP, true, false},
		{"control: threads less one", 2, 1, func(f *front) { f.swap(haproxyCfg, " maxconn 2\n", " maxconn 1\n") }, false, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			const work = 2600 * time.Millisecond // longer than fall × timeout check
			clients := []*client{newClient(t, "c1", test.threads), newClient(t, "c2", test.threads)}
			var fronts []*front
			for range test.fronts {
				fronts = append(fronts, balanced(t, frontHost(servedBy(clients...)), test.change))
			}
			for _, f := range fronts {
				until(t, "both are up", func() bool { return f.server("c1") == "UP" && f.server("c2") == "UP" })
			}
			var wg sync.WaitGroup
			var failed, late atomic.Int64
			ask := func(f *front, most time.Duration) {
				defer wg.Done()
				began := time.Now()
				a, err := tryAsk(fmt.Sprint("127.0.0.1:", f.ports.balancer), "", "GET", "x", "/slow?sleep="+work.String())
				if err != nil || a.Status != 200 {
					failed.Add(1)
				}
				if time.Since(began) > most {
					late.Add(1)
				}
			}
			// As many as all threads take at once, and one that waits for the first to end.
			for i := range 2 * test.threads {
				wg.Add(1)
				go ask(fronts[i%test.fronts], work*3/2)
			}
			time.Sleep(work * 9 / 10)
			wg.Add(1)
			ask(fronts[0], work*5/2)
			wg.Wait()
			if failed.Load() > 0 != test.fails {
				t.Errorf("%d of %d requests failed; want failures: %v", failed.Load(), 2*test.threads+1, test.fails)
			}
			// Two balancers do not know of each other's requests.
			if !test.fails && test.fronts == 1 && late.Load() > 0 != test.takesLong {
				t.Errorf("%d of %d requests waited for a thread that was free; want some: %v", late.Load(), 2*test.threads+1, test.takesLong)
			}
		})
	}
}

// TestExecutedOnce: a request that a client has got is not sent again.
func TestExecutedOnce(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		change func(*front)
		want   bool
	}{
		{"once", func(*front) {}, true},
		{"control", func(f *front) { f.swap(haproxyCfg, "retry-on conn-failure", "retry-on conn-failure empty-response") }, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			clients := []*client{newClient(t, "c1", 4), newClient(t, "c2", 4)}
			f := balanced(t, frontHost(servedBy(clients...)), test.change)
			for _, method := range []string{"PATCH", "PUT", "DELETE", "GET"} {
				f.direct(method, "/"+method+"?close", "Content-Length: 0")
				if n := sent(clients, "/"+method); (n == 1) != test.want {
					t.Errorf("%s was executed %d times", method, n)
				}
			}
		})
	}
}

// TestStopped: a client that takes no connection loses no request.
func TestStopped(t *testing.T) {
	t.Parallel()
	clients := []*client{newClient(t, "c1", 2), newClient(t, "c2", 2), newClient(t, "c3", 2)}
	f := balanced(t, frontHost(servedBy(clients...)))
	until(t, "all are up", func() bool { return f.server("c1") == "UP" && f.server("c2") == "UP" && f.server("c3") == "UP" })
	clients[1].stop()
	for i := range 30 {
		if a := f.direct("POST", "/x", "Content-Length: 0"); a.Status != 200 {
			t.Errorf("request %d: %v", i, a)
		}
	}
	if n := sent(clients, "/x"); n != 30 {
		t.Errorf("%d of 30 requests executed", n)
	}
	until(t, "it is down", func() bool { return strings.HasPrefix(f.server("c2"), "DOWN") })
	clients[1].start(t)
	until(t, "it is up again", func() bool { return f.server("c2") == "UP" })
}

// TestDrain: a client's agent takes it out and brings it back.
func TestDrain(t *testing.T) {
	t.Parallel()
	clients := []*client{newClient(t, "c1", 4), newClient(t, "c2", 4)}
	f := balanced(t, frontHost(servedBy(clients...)))
	both := func() bool { return f.server("c1") == "UP" && f.server("c2") == "UP" }
	until(t, "both are up", both)
	load := func(n int, target string) {
		t.Helper()
		var wg sync.WaitGroup
		for range n {
			wg.Add(1)
			go func() {
				defer wg.Done()
				if a, err := tryAsk(fmt.Sprint("127.0.0.1:", f.ports.balancer), "", "GET", "x", target); err != nil || a.Status != 200 {
					t.Errorf("%s: %v %v", target, a, err)
				}
			}()
		}
		wg.Wait()
	}
	load(12, "/before?sleep=50ms")
	if len(clients[0].requests("/before")) == 0 || len(clients[1].requests("/before")) == 0 {
		t.Error("one client had no requests to begin with")
	}
	isDown := func() bool { return strings.HasPrefix(f.server("c1"), "DOWN") }
	clients[0].says("down")
	until(t, "c1 is out", isDown)
	load(12, "/drained?sleep=50ms")
	if n := len(clients[0].requests("/drained")); n > 0 {
		t.Errorf("%d requests reached a client that drains", n)
	}
	clients[0].stop()
	clients[0].start(t)
	time.Sleep(time.Second)
	if !isDown() {
		t.Error("it is in before its agent says so:", f.server("c1"))
	}
	clients[0].says("up")
	until(t, "c1 is back", both)
	load(12, "/after?sleep=50ms")
	if len(clients[0].requests("/after")) == 0 {
		t.Error("no request came after it was back")
	}
	// What an operator says stays, over a restart too.
	f.admin("set server plone/c1 state maint")
	clients[0].says("down")
	time.Sleep(time.Second)
	clients[0].says("up")
	time.Sleep(time.Second)
	if got := f.server("c1"); got != "MAINT" {
		t.Error("the agent undid an operator's maint:", got)
	}
}

// TestReload: what operators and agents said of a client outlives a reload;
// what the new file says of it counts.
func TestReload(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		change func(*front)
		want   string
	}{
		{"kept", func(*front) {}, "MAINT"},
		{"control", func(f *front) { f.swap(haproxyCfg, `server-state-file "${PLONEC_SERVER_STATE}"`, "") }, "UP"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			clients := []*client{newClient(t, "c1", 4), newClient(t, "c2", 4), newClient(t, "c3", 4), newClient(t, "c4", 4)}
			f := balanced(t, frontHost(servedBy(clients[:3]...)), test.change)
			until(t, "all are up", func() bool { return f.server("c1") == "UP" && f.server("c2") == "UP" && f.server("c3") == "UP" })
			f.admin("set server plone/c1 state maint")
			clients[1].says("down")
			until(t, "c2 is out", func() bool { return strings.HasPrefix(f.server("c2"), "DOWN") })
			if got := f.server("c1"); got != "MAINT" {
				t.Fatal(got)
			}
			// c3's host has another address now; its name is what it was.
			f.swap(haproxyCfg, "server c3 "+clients[2].at(), fmt.Sprint("server c3 127.0.0.2:", clients[2].port))
			f.reload()
			time.Sleep(1500 * time.Millisecond)
			if got := f.server("c1"); got != test.want {
				t.Errorf("c1 is %s after a reload, want %s", got, test.want)
			}
			if got := f.server("c2"); !strings.HasPrefix(got, "DOWN") {
				t.Error("c2, whose agent says down, is", got)
			}
			if state := f.admin("show servers state"); !strings.Contains(state, "c3 127.0.0.2 ") {
				t.Error("the new file's address does not count:", state)
			}
			clients[1].says("up")
			until(t, "c2 is back", func() bool { return f.server("c2") == "UP" })
		})
	}
}

// TestBackends: what a balancer says of its clients to one who asks; and while
// it reloads, not that a client is out.
func TestBackends(t *testing.T) {
	t.Parallel()
	clients := []*client{newClient(t, "c1", 4), newClient(t, "c2", 4)}
	f := balanced(t, frontHost(servedBy(clients...)))
	until(t, "both are up", func() bool { return f.server("c1") == "UP" && f.server("c2") == "UP" })
	clients[1].says("down")
	until(t, "c2 is out", func() bool { return strings.HasPrefix(f.server("c2"), "DOWN") })

	const hostEnv, reloading = "/etc/plonec/host.env", "/run/plonec-haproxy/reloading"
	f.files[hostEnv], f.files[reloading] = "HOST=lb1\n", ""
	f.write(hostEnv)
	scripts := hostScripts(t)
	ask := func(question string) string {
		cmd := exec.Command(scripts+"/verbs/backends", "--attend")
		cmd.Env = append(os.Environ(), "PLONEC_ROOT="+f.dir)
		cmd.Stdin = strings.NewReader(question + "\n")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return strings.TrimSpace(string(out))
	}
	for _, test := range []struct {
		question string
		reloads  time.Duration // since when, if at all
		want     string
	}{
		{"up c1 0", 0, "go"},
		{"up c2 0", 0, "does not see c2 up (c1 UP, c2 DOWN"},
		{"up c2 0", time.Second, "does not see c2 up"},
		{"spare c1 0", 0, "no client that is up but c1"},
		{"spare c2 0", 0, "go"},
		{"out c1 0", 0, "does not see that c1 drains"},
		{"out c2 0", 0, "go"},
		{"out c2 0", time.Second, "does not see that c2 drains"},
		{"out c2 0", time.Minute, "go"}, // a reload that never came
		{"out another 0", 0, "go"},
	} {
		os.Remove(f.dir + reloading)
		if test.reloads > 0 {
			began := time.Now().Add(-test.reloads)
			if err := os.Chtimes(f.write(reloading), began, began); err != nil {
				t.Fatal(err)
			}
		}
		if got := ask(test.question); got != test.want && (test.want == "go" || !strings.Contains(got, test.want)) {
			t.Errorf("%s, reloading for %s: %q, want %q", test.question, test.reloads, got, test.want)
		}
	}
}

// TestPeers: balancers tell each other which client a visitor has.
func TestPeers(t *testing.T) {
	t.Parallel()
	clients := []*client{newClient(t, "c1", 4), newClient(t, "c2", 4), newClient(t, "c3", 4)}
	peers := freePort(t)
	var fronts []*front
	for _, name := range []string{"web1", "web2"} {
		fronts = append(fronts, balanced(t, frontHost(servedBy(clients...), func(h *topology.Host) {
			h.Name = name
			h.Front.Backends[0].Sticky = true
			h.Front.Balancers = []topology.Balancer{{Name: "web1", Address: "127.0.0.1"}, {Name: "web2", Address: "127.0.0.2"}}
		}), func(f *front) { f.swap(haproxyCfg, fmt.Sprint(":", f.ports.peers), fmt.Sprint(":", peers)) }))
	}
	entries := func(f *front) int { return strings.Count(f.admin("show table plone"), "server_id=") }
	has := map[string]string{}
	for i := range 9 {
		cookie := fmt.Sprint("Cookie: __ac=visitor", i)
		has[cookie] = fronts[i%2].direct("GET", "/mine", cookie).Header.Get("X-Client")
	}
	until(t, "both know all visitors", func() bool { return entries(fronts[0]) == 9 && entries(fronts[1]) == 9 })
	for cookie, c := range has {
		for _, f := range fronts {
			if got := f.direct("GET", "/mine", cookie).Header.Get("X-Client"); got != c {
				t.Errorf("%s: %s at one balancer, %s at the other", cookie, c, got)
			}
		}
	}
	// A reload keeps the table too.
	fronts[0].reload()
	until(t, "the new worker knows all visitors", func() bool { return entries(fronts[0]) == 9 })
}

// TestRoutes: of several apps one has all names below another: a name's own app comes
// first, then the one with the longest of what is below.
func TestRoutes(t *testing.T) {
	t.Parallel()
	a, b, c := newClient(t, "a", 4), newClient(t, "b", 4), newClient(t, "c", 4)
	backend := func(c *client, prefix, below string) *topology.Backend {
		return &topology.Backend{
			Name: c.name, Servers: []*topology.Server{c.line()},
			Prefixes: []string{"/VirtualHostBase/http/" + prefix + ":80/"},
			Patterns: []string{`^/VirtualHostBase/https?/[^/:]+\.` + regexp.QuoteMeta(below) + `:(80|443)/`},
		}
	}
	f := balanced(t, frontHost(servedBy(a), func(h *topology.Host) {
		h.Front.Backends[0].Prefixes = []string{"/VirtualHostBase/http/www.example.com:80/"}
		h.Front.Backends = append(h.Front.Backends, backend(b, "example.org", "example.com"), backend(c, "x.example.org", "c.example.com"))
	}))
	until(t, "all are up", func() bool { return f.server("a") == "UP" && f.server("b") == "UP" && f.server("c") == "UP" })
	for name, want := range map[string]string{
		"http/www.example.com:80": "a", "http/other.com:80": "a", "http/example.com:80": "a", "http/a.example-com:80": "a",
		"http/a.example.com:80": "b", "https/a.b.example.com:443": "b", "http/example.org:80": "b", "http/c.example.com:80": "b",
		"http/a.c.example.com:80": "c", "https/a.b.c.example.com:443": "c", "http/x.example.org:80": "c",
	} {
		if got := f.direct("GET", "/VirtualHostBase/"+name+"/Plone/VirtualHostRoot/").Header.Get("X-Client"); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}

// TestApps: several apps on one balancer.
func TestApps(t *testing.T) {
	t.Parallel()
	a, b := newClient(t, "a", 4), newClient(t, "b", 4)
	f := balanced(t, frontHost(servedBy(a), func(h *topology.Host) {
		h.Front.Backends = append(h.Front.Backends, &topology.Backend{
			Name: "intra", Prefixes: []string{"/VirtualHostBase/http/intra.example.com:80/", "/VirtualHostBase/https/intra.example.com:443/"},
			Servers: []*topology.Server{b.line()},
		})
	}))
	until(t, "both are up", func() bool { return f.server("a") == "UP" && f.server("b") == "UP" })
	for target, want := range map[string]string{
		"/VirtualHostBase/http/intra.example.com:80/Intra/VirtualHostRoot/": "b", "/VirtualHostBase/https/intra.example.com:443/x": "b",
		site + "/": "a", "/": "a", "/VirtualHostBase/http/intra.example.com.evil:80/": "a",
	} {
		if got := f.direct("GET", target).Header.Get("X-Client"); got != want {
			t.Errorf("%s: %s, want %s", target, got, want)
		}
	}
}
