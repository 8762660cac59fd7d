package render

import (
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/plonec/plonec/internal/topology"
)

// credentials is the header of a user of the statistics with a password.
func credentials(password string) string {
	return "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte("stats:"+password))
}

// statsSeen is how many requests for the statistics HAProxy has taken.
func (f *front) statsSeen() int {
	f.t.Helper()
	for line := range strings.Lines(f.admin("show stat")) {
		if c := strings.Split(line, ","); len(c) > 7 && c[0] == "plonec-stats" && c[1] == "BACKEND" {
			n, err := strconv.Atoi(c[7])
			if err != nil {
				f.t.Fatal(err)
			}
			return n
		}
	}
	f.t.Fatal("HAProxy has no backend plonec-stats")
	return 0
}

// statsFrom asks for the statistics from an address.
func (f *front) statsFrom(from, target string, headers ...string) int {
	f.t.Helper()
	a, err := tryAsk(fmt.Sprint("127.0.0.1:", f.ports.http), from, "GET", "127.0.0.1", target, headers...)
	if err != nil {
		f.t.Fatal(err)
	}
	return a.Status
}

// A flood of guesses ends in nginx: HAProxy sums few passwords, whether one address
// sends them or many, and none that is long.
func TestStatisticsAreGuarded(t *testing.T) {
	t.Parallel()
	const targets = 2
	both := [targets]string{"/balancer/stats", "/balancer/stats;csv"}
	for _, flood := range []struct {
		name      string
		addresses int
		most      func(seconds float64) float64
	}{
		{"of one address", 1, func(s float64) float64 { return 10 + 2*s + 1 }},
		{"of many addresses", 100, func(s float64) float64 { return 20 + 20*s + 1 }},
	} {
		t.Run("a flood "+flood.name, func(t *testing.T) {
			t.Parallel()
			f, _ := chained(t)
			before, began := f.statsSeen(), time.Now()
			said := map[int]int{}
			for i := range 600 {
				said[f.statsFrom(fmt.Sprint("127.0.1.", 1+i%flood.addresses), both[i%targets], credentials("wrong"))]++
			}
			took, seen := time.Since(began), f.statsSeen()-before
			t.Logf("600 guesses in %s: %v, %d of them at HAProxy", took, said, seen)
			if float64(seen) > flood.most(took.Seconds()) || seen == 0 || said[401] != seen || said[429] != 600-seen {
				t.Errorf("600 guesses in %s: %v, %d of them at HAProxy, want at most %.0f", took, said, seen, flood.most(took.Seconds()))
			}
			if a := f.ask("GET", "www.example.com", "/page"); a.Status != 200 {
				t.Error("a visitor of the site meanwhile:", a)
			}
		})
	}

	t.Run("long passwords", func(t *testing.T) {
		t.Parallel()
		f, _ := chained(t)
		before := f.statsSeen()
		longest := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("u", maxUser) + ":" + strings.Repeat("x", MaxPassword)))
		long := "Authorization: Basic " + longest + "x"
		for _, headers := range [][]string{{long}, {credentials(strings.Repeat("x", 6000))}, {"authorization: basic " + longest + "xyz="}, {credentials("wrong"), long}, {long, credentials("wrong")}} {
			for _, target := range both {
				if got := f.statsFrom("", target, headers...); got != 401 && got != 400 {
					t.Errorf("%.60q: %d", headers, got)
				}
			}
		}
		if seen := f.statsSeen() - before; seen != 0 {
			t.Errorf("HAProxy was asked %d times", seen)
		}
		if got := f.statsFrom("", both[0], "Authorization: Basic "+longest); got != 401 || f.statsSeen() != before+1 {
			t.Errorf("the longest that there may be: %d, and HAProxy was asked %d times", got, f.statsSeen()-before)
		}
		if got := f.statsFrom("", both[0], credentials(statsPassword)); got != 200 {
			t.Error("the right one:", got)
		}
	})

	// Those who may not ask take nothing from those who may.
	t.Run("stats_allow", func(t *testing.T) {
		t.Parallel()
		f, _ := chained(t, func(h *topology.Host) {
			h.Stack.Haproxy.StatsAllow = []string{"127.0.0.1", "127.7.3.1/16", "127.7.0.0/16", "fd00::1/64"}
		})
		before := f.statsSeen()
		for i := range 300 {
			if got := f.statsFrom(fmt.Sprint("127.0.2.", 1+i%100), both[i%targets], credentials(statsPassword)); got != 403 {
				t.Fatal("from an address that may not:", got)
			}
		}
		if seen := f.statsSeen() - before; seen != 0 {
			t.Errorf("HAProxy was asked %d times", seen)
		}
		for _, from := range []string{"127.0.0.1", "127.7.9.9"} {
			for _, target := range both {
				if got := f.statsFrom(from, target, credentials(statsPassword)); got != 200 {
					t.Errorf("from %s: %d", from, got)
				}
			}
		}
	})
}
