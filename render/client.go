package render

import (
	"math"
	"strconv"
	"strings"

	"github.com/plonec/plonec/internal/topology"
)

var _ = renders(nil, Artifact{Template: "client.service.tmpl", Each: clientUnits})

// warmSeconds is the time that a client's first page may take beyond its
// start.
const warmSeconds = 60

// clientUnits gives each client a whole file of its own rather than an instance of
// one template with a drop-in: a change of one client shows as a change of that
// client in a pull request, and the file alone says what runs.
func clientUnits(h *topology.Host) []Instance {
	var all []Instance
	for _, a := range h.Apps {
		if a.Supervised() {
			continue
		}
		for _, c := range a.Clients {
			u := newUnit(a, c.Unit, "Plone "+c.Name, a.Builder().Client.For(c.Name))
			u.lifted = liftedBy(a)
			u.Args = a.Builder().Client.Args
			u.Address, u.Port = c.Address, c.Port
			u.HealthURL, u.WarmURL = healthURL(h), "/"+strings.Trim(h.Stack.PloneInstances.SiteID, "/")
			u.MemoryHigh, u.MemoryMax = memory(h.Stack.Plonec.MemoryMax)
			u.DrainSeconds = seconds(h.Stack.Plonec.DrainTimeout)
			u.TimeoutStart = u.StartSeconds + warmSeconds + 30
			u.TimeoutStop = u.DrainSeconds + 60
			all = append(all, Instance{Path: unitPath(c.Unit), Effects: []string{"restart:" + c.Unit}, Data: &u})
		}
	}
	return all
}

// healthURL is the path that says whether a client is well.
func healthURL(h *topology.Host) string {
	if h.Stack.Haproxy != nil && h.Stack.Haproxy.HealthCheckURL != "" {
		return h.Stack.Haproxy.HealthCheckURL
	}
	return "/ok"
}

// memory gives MemoryHigh, at which a process is slowed down and its memory
// reclaimed, somewhat below MemoryMax, at which it is killed.
func memory(limit string) (high, most string) {
	if limit == "" {
		return "", ""
	}
	const units = "KMGT"
	digits := strings.TrimRight(limit, units)
	n, err := strconv.ParseFloat(digits, 64)
	if err != nil {
		return "", limit // systemd judges it
	}
	if limit != digits {
		n *= math.Pow(1024, float64(strings.Index(units, limit[len(digits):])+1))
	}
	return strconv.FormatFloat(min(math.Floor(n*0.9), 1<<60), 'f', 0, 64), limit
}
