package render

import (
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/plonec/plonec/internal/service"
	"github.com/plonec/plonec/internal/topology"
	"github.com/plonec/plonec/schema"
)

// asMigrated checks clients as the cookbook did. Its rise of 1 is raised before this.
func asMigrated(h *topology.Host) {
	h.Stack.Haproxy.CheckInterval = schema.Millis(10 * time.Second)
}

// asOnce is what clients were taken out by before: agent checks alone, whose word ends
// with a reload, and one good check lets one in.
func asOnce(f *front) {
	f.alone = true
	f.swap(haproxyCfg, "agent-inter 10s", "agent-inter 250ms")
	f.swap(haproxyCfg, " rise 2 ", " rise 1 ")
	f.swap(haproxyCfg, "fastinter 1s downinter 1s", "fastinter 1250ms downinter 1250ms")
}

// manyClients are n clients on hosts of ten.
func manyClients(t *testing.T, n int) (all []*client) {
	for len(all) < n {
		var names []string
		for range min(10, n-len(all)) {
			names = append(names, fmt.Sprint("c", len(all)+len(names)+1))
		}
		all = append(all, newClientHost(t, 4, names...).clients...)
	}
	return all
}

// load asks as fast as a few visitors do until stop is called, which gives how many
// requests there were and how many failed.
func (f *front) load() (stop func() (asked, failed int64)) {
	var wg sync.WaitGroup
	var asked, failed atomic.Int64
	var end atomic.Bool
	for range 8 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for !end.Load() {
				asked.Add(1)
				if a, err := tryAsk(fmt.Sprint("127.0.0.1:", f.ports.balancer), "", "GET", "x", "/load"); err != nil || a.Status != 200 {
					failed.Add(1)
				}
				time.Sleep(2 * time.Millisecond)
			}
		}()
	}
	return func() (int64, int64) { end.Store(true); wg.Wait(); return asked.Load(), failed.Load() }
}

// out waits until the agents know that the balancer takes the clients out.
func out(t *testing.T, clients ...*client) {
	t.Helper()
	until(t, "all of them are taken out", func() bool {
		return !slices.ContainsFunc(clients, func(c *client) bool { return len(c.told()) != 1 || !strings.HasSuffix(c.told()[0], "down") })
	})
}

// TestReloadsWhileClientsDrain: half of twenty clients are out, as the agents know, and
// HAProxy reloads five times, with the intervals of a migrated stack. No request
// reaches one that is out.
func TestReloadsWhileClientsDrain(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		change func(*front)
		fails  bool
	}{
		{"told", func(*front) {}, false},
		{"control: asked every 250 ms, rise 1", asOnce, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			clients := manyClients(t, 20)
			f := balanced(t, frontHost(servedBy(clients...), asMigrated), test.change)
			until(t, "all are up", func() bool { return strings.Count(f.admin("show stat"), ",UP,") >= 20 })
			stop := f.load()
			for _, c := range clients[:10] {
				c.says("down")
			}
			out(t, clients[:10]...)
			time.Sleep(100 * time.Millisecond) // those that were sent before
			before := sent(clients[:10], "/load")
			for i := range 5 {
				if test.fails { // what agents said of the weight is lost with another one in the file
					f.swap(haproxyCfg, fmt.Sprint(" weight ", 100-i), fmt.Sprint(" weight ", 99-i))
				}
				f.reload()
				time.Sleep(2500 * time.Millisecond)
			}
			reached := sent(clients[:10], "/load") - before
			asked, failed := stop()
			t.Logf("%d of %d requests went to clients that were out", reached, asked)
			if reached > 0 != test.fails {
				t.Errorf("%d of %d requests went to clients that were out; want some: %v", reached, asked, test.fails)
			}
			// HAProxy 2.4 resets a connection now and then at a reload (4 of 27,542 seen), whoever drains.
			lost := int64(0)
			if ownSystem().Haproxy.Before(2, 5) {
				lost = asked / 2000
			}
			if failed > lost || asked < 500 {
				t.Errorf("%d of %d requests failed", failed, asked)
			}
			for _, c := range clients[:10] {
				c.says("up")
			}
			until(t, "they are back", func() bool {
				return !slices.ContainsFunc(clients[:10], func(c *client) bool { return f.weight(c.name) == "0" || !strings.HasPrefix(f.server(c.name), "UP") })
			})
		})
	}
}

// TestDrainIsSeen: within half a second, in the middle of five, of what the agent is given
// to say HAProxy sends nothing there, and the agent knows; a hundred clients of ten hosts at once too.
func TestDrainIsSeen(t *testing.T) {
	t.Parallel()
	clients := manyClients(t, 100)
	f := balanced(t, frontHost(servedBy(clients...), asMigrated))
	until(t, "all are up", func() bool { return strings.Count(f.admin("show stat"), ",UP,") >= 100 })
	until(t, "all hosts are connected", func() bool {
		return !slices.ContainsFunc(clients, func(c *client) bool { return !slices.Equal(c.told(), []string{"up"}) })
	})
	var one []time.Duration
	for _, n := range []int{1, 1, 1, 1, 1, 50} {
		began := time.Now()
		for _, c := range clients[:n] {
			c.says("down")
		}
		out(t, clients[:n]...)
		took := time.Since(began)
		t.Logf("%d: %s", n, took)
		if n == 1 {
			one = append(one, took)
		}
		for _, c := range clients[:n] {
			if got := f.server(c.name); !strings.HasPrefix(got, "DOWN") {
				t.Errorf("%s is %s", c.name, got)
			}
			c.says("up")
		}
		until(t, "they are back", func() bool {
			return !slices.ContainsFunc(clients[:n], func(c *client) bool { return f.server(c.name) != "UP" && !strings.HasPrefix(f.server(c.name), "UP ") })
		})
	}
	slices.Sort(one) // the one in the middle: a busy machine delays a single one
	if most, took := 500*time.Millisecond, one[len(one)/2]; took > most {
		t.Errorf("a drain was seen after %s, want %s at most", took, most)
	}
}

// TestOperatorsStates: what operators say of a client stays over a drain of it, before
// and during it, and so does a weight of theirs.
func TestOperatorsStates(t *testing.T) {
	t.Parallel()
	for _, state := range []string{"maint", "drain"} {
		t.Run(state, func(t *testing.T) {
			t.Parallel()
			c := newClient(t, "c1", 4)
			f := balanced(t, frontHost(servedBy(c, newClient(t, "c2", 4))))
			want := strings.ToUpper(state)
			is := func(when string) {
				t.Helper()
				time.Sleep(time.Second)
				if got := f.server("c1"); !strings.HasPrefix(got, want) {
					t.Errorf("%s: %s, want %s", when, got, want)
				}
			}
			around := func(when string, during func()) {
				t.Helper()
				c.says("down")
				out(t, c)
				during()
				f.reload()
				c.says("up")
				is(when)
			}
			f.admin("set server plone/c1 state " + state)
			around("said before", func() {})
			f.admin("set server plone/c1 state ready")
			until(t, "c1 is up", func() bool { return strings.HasPrefix(f.server("c1"), "UP") })
			around("said during it", func() { f.admin("set server plone/c1 state " + state) })
			f.admin("set server plone/c1 state ready")
			until(t, "c1 is up", func() bool { return strings.HasPrefix(f.server("c1"), "UP") && f.weight("c1") == "100" })

			for _, weight := range []string{"7", "0"} {
				f.admin("set server plone/c1 weight " + weight)
				c.says("down")
				out(t, c)
				if got := f.weight("c1"); got != "0" {
					t.Error("a client that drains has the weight", got)
				}
				c.says("up")
				time.Sleep(time.Second)
				if got := f.weight("c1"); got != weight {
					t.Errorf("its weight is %s, want %s", got, weight)
				}
			}
		})
	}
}

// TestWithoutStatesync: while it does not run, the agent checks take clients out and let
// them in; once it runs again it goes on where it was.
func TestWithoutStatesync(t *testing.T) {
	t.Parallel()
	quick := func(f *front) { f.swap(haproxyCfg, "agent-inter 10s", "agent-inter 1s") }
	clients := []*client{newClient(t, "c1", 4), newClient(t, "c2", 4), newClient(t, "c3", 4)}
	f := balanced(t, frontHost(servedBy(clients...)), quick)
	is := func(c *client, weight, state string) {
		t.Helper()
		until(t, fmt.Sprint(c.name, " has the weight ", weight, " and is ", state), func() bool {
			return f.weight(c.name) == weight && strings.HasPrefix(f.server(c.name), state)
		})
	}
	kill := func() { f.sync.signal(syscall.SIGKILL) }
	for _, c := range clients {
		is(c, "100", "UP")
	}
	clients[0].says("down")
	out(t, clients[0])
	kill()
	clients[1].says("down")
	out(t, clients[1])
	is(clients[1], "0", "DOWN")
	f.reload()
	is(clients[0], "0", "DOWN")
	clients[0].says("up")
	is(clients[0], "100", "UP")

	f.synced() // c2 is out by an agent check; c1, which it took out, is in
	time.Sleep(time.Second)
	is(clients[0], "100", "UP")
	is(clients[1], "0", "DOWN")
	clients[1].says("up")
	is(clients[1], "100", "UP")

	// Killed and started again with a client out that comes up meanwhile, and no check.
	f.swap(haproxyCfg, "agent-inter 1s", "agent-inter 1h")
	f.reload()
	clients[2].says("down")
	out(t, clients[2])
	kill()
	clients[2].says("up")
	time.Sleep(500 * time.Millisecond)
	is(clients[2], "0", "DOWN")
	f.synced()
	is(clients[2], "100", "UP")
}

// TestStatesyncLate: a client that was given no weight by an agent check before the state
// sync reached its host, and is up by then, has its weight at the next check.
func TestStatesyncLate(t *testing.T) {
	t.Parallel()
	clients := []*client{newClient(t, "c1", 4), newClient(t, "c2", 4)}
	f := newFront(t, frontHost(servedBy(clients...)))
	f.swap(haproxyCfg, "agent-inter 10s", "agent-inter 2s")
	f.alone = true
	f.haproxy()
	clients[0].says("down")
	until(t, "an agent check takes it out", func() bool { return f.weight("c1") == "0" })
	clients[0].says("up")
	f.synced()
	until(t, "it is in", func() bool { return f.weight("c1") == "100" && strings.HasPrefix(f.server("c1"), "UP") })
}

// TestStatesyncOddAgent: what an agent says that is none of its words ends nothing.
func TestStatesyncOddAgent(t *testing.T) {
	t.Parallel()
	h := newClientHost(t, 4, "c1")
	f := balanced(t, frontHost(servedBy(h.clients...)))
	h.agent.signal(syscall.SIGKILL)
	l := listen(t, net.JoinHostPort(h.address, fmt.Sprint(service.AgentPort)))
	done := make(chan struct{})
	defer close(done)
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		fmt.Fprintf(c, "%s up\n\xff up\nup\n-1 down\n%d down\n", strings.Repeat("9", 5000), h.clients[0].agent)
		<-done
	}()
	until(t, "its word counts after all that", func() bool { return strings.HasPrefix(f.server("c1"), "DOWN") })
}

// TestAgentGone: a client host whose agent ends, and comes back, changes nothing by that,
// and a drain right after it began anew still waits for the balancer.
func TestAgentGone(t *testing.T) {
	t.Parallel()
	h := newClientHost(t, 4, "c1", "c2")
	c1, c2 := h.clients[0], h.clients[1]
	f := balanced(t, frontHost(servedBy(c1, c2)))
	c1.says("down")
	out(t, c1)
	h.agent.signal(syscall.SIGKILL)
	time.Sleep(time.Second)
	if got := f.server("c1") + " " + f.server("c2"); !strings.HasPrefix(got, "DOWN") || !strings.Contains(got, " UP") {
		t.Error("without an agent:", got)
	}
	h.start()
	c2.says("down")
	for began := time.Now(); time.Since(began) < 10*time.Second; time.Sleep(5 * time.Millisecond) {
		told := c2.told()
		if slices.Equal(told, []string{"asked down"}) {
			time.Sleep(500 * time.Millisecond) // as let_them_see
			break
		}
		if slices.Equal(told, []string{"down"}) || len(told) == 0 {
			break
		}
	}
	if got := f.server("c2"); !strings.HasPrefix(got, "DOWN") {
		t.Errorf("a stopping client goes on while it is %s; told: %v", got, c2.told())
	}
	c1.says("up")
	until(t, "c1 is back", func() bool { return strings.HasPrefix(f.server("c1"), "UP") && f.weight("c1") == "100" })
}

// TestHaproxyAnew: HAProxy that ends takes nothing, so that no drain waits for it; one
// that starts knows soon who drains.
func TestHaproxyAnew(t *testing.T) {
	t.Parallel()
	clients := []*client{newClient(t, "c1", 4), newClient(t, "c2", 4), newClient(t, "c3", 4)}
	f := newFront(t, frontHost(servedBy(clients...), asMigrated))
	d := f.haproxy()
	clients[0].says("down")
	out(t, clients[0])
	d.stop()
	clients[1].says("down")
	out(t, clients[1])
	f.haproxy()
	until(t, "both are out", func() bool { return f.weight("c1") == "0" && f.weight("c2") == "0" && f.weight("c3") == "100" })
}

// TestConnections: with the defaults a hundred clients cost a balancer 40 new
// connections a second at most.
func TestConnections(t *testing.T) {
	t.Parallel()
	var checks, agents, kept atomic.Int64
	h := frontHost(func(h *topology.Host) {
		h.Front.Backends[0].Servers = nil
		h.Stack.Haproxy.CheckInterval = defaultInterval(t)
	})
	count := func(address string, n *atomic.Int64, answer string) {
		l := listen(t, address)
		t.Cleanup(func() { l.Close() })
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				n.Add(1)
				if answer == "" {
					t.Cleanup(func() { c.Close() })
					continue
				}
				fmt.Fprintln(c, answer)
				c.Close()
			}
		}()
	}
	for range 25 {
		n := addresses.Add(1)
		address := fmt.Sprintf("127.%d.%d.%d", 1+os.Getpid()%250, 1+n/250, 1+n%250)
		count(net.JoinHostPort(address, fmt.Sprint(service.AgentPort)), &kept, "")
		for i := 1; i <= 4; i++ {
			count(fmt.Sprintf("%s:%d", address, service.AgentPort+i), &agents, "up")
			count(fmt.Sprintf("%s:%d", address, service.ClientPort+i), &checks, " ")
			h.Front.Backends[0].Servers = append(h.Front.Backends[0].Servers, &topology.Server{
				Name: fmt.Sprintf("h%d-client%d", n, i), Address: address, Port: service.ClientPort + i, AgentPort: service.AgentPort + i, MaxConn: 4})
		}
	}
	// A check that sends nothing resets the connection before the client has accepted it.
	balanced(t, h, func(f *front) {
		f.swap(haproxyCfg, "    balance leastconn\n", "    balance leastconn\n    option tcp-check\n    tcp-check connect\n    tcp-check send x\n")
	})
	time.Sleep(3 * time.Second)
	all := func() int64 { return checks.Load() + agents.Load() + kept.Load() }
	before, began := all(), time.Now()
	time.Sleep(20 * time.Second)
	rate := float64(all()-before) / time.Since(began).Seconds()
	t.Logf("%.1f a second; since the start %d checks, %d agent checks, %d connections that are kept", rate, checks.Load(), agents.Load(), kept.Load())
	if rate > 40 || checks.Load() < 200 || agents.Load() < 100 || kept.Load() != 25 {
		t.Errorf("%.1f new connections a second, and %d that are kept", rate, kept.Load())
	}
}

// defaultInterval is check_interval where a stack does not say it.
func defaultInterval(t *testing.T) schema.Millis {
	t.Helper()
	d, err := time.ParseDuration(schema.Root().Field("haproxy").Field("check_interval").Default.Text)
	if err != nil {
		t.Fatal(err)
	}
	return schema.Millis(d)
}

// The interval of quick checks is an eighth of the interval, from a quarter of a second to
// a second, and never longer than the interval: the cookbook's 10 s would make it 2 s,
// which lost requests.
func TestFastInter(t *testing.T) {
	for interval, want := range map[time.Duration]time.Duration{
		100 * time.Millisecond: 100 * time.Millisecond,
		250 * time.Millisecond: 250 * time.Millisecond,
		time.Second:            250 * time.Millisecond,
		4 * time.Second:        500 * time.Millisecond,
		8 * time.Second:        time.Second,
		10 * time.Second:       time.Second,
		time.Hour:              time.Second,
	} {
		v := hostView{frontHost()}
		v.Stack.Haproxy.CheckInterval = schema.Millis(interval)
		if got := v.FastInter(); got != want {
			t.Errorf("an interval of %v: %v, want %v", interval, got, want)
		}
	}
}
