package render

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/plonec/plonec/internal/service"
	"github.com/plonec/plonec/internal/topology"
	"github.com/plonec/plonec/render/escape"
	"github.com/plonec/plonec/schema"
)

// unitArtifacts are the units of every process. Each client has a whole file
// of its own rather than an instance of one template with a drop-in: a change
// of one client shows as a change of that client in a pull request, and the
// file alone says what runs.
//
// There is no target over an app's units: restarting one restarts everything
// at once, and ends 0 where a client failed.
var unitArtifacts = []Artifact{
	{Template: "zeo.service.tmpl", Each: zeoUnits},
	{Template: "client.service.tmpl", Each: clientUnits},
	{Template: "command.service.tmpl", Each: commandUnits},
	{Template: "plone.slice.tmpl", Each: sliceUnits},
	{Template: "agent.service.tmpl", Each: agentUnits},
}

const unitDir = "/etc/systemd/system/"

// warmSeconds is the time that a client's first page may take beyond its
// start.
const warmSeconds = 60

// A unit is what the templates of an app's processes have in common.
type unit struct {
	App         string
	Unit        string
	Identifier  string
	Description string
	User, Group string
	Current     string // the release that is current: where it runs
	Program     string
	Args        string // a stack's as a shell splits them, a builder's as they stand
	Hook        string // what root runs around the program, without the app's environment
	WithEnv     string // gives the program that environment
	EnvFile     string
	SecretsFile string // empty: the app has none
	Slice       string
	Zeo         string   // the ZEO unit of this host, which it follows
	Mounts      []string // it waits for what is mounted there
	Writable    []string
	InHome      bool // something of it lies under /home
	// Foreign is a program that may be anything, a Java or Node one too: what
	// would break those is left out.
	Foreign      bool
	StartSeconds int
	TimeoutStart int
	TimeoutStop  int

	Address string // of clients and ZEO servers: what they bind
	Port    int

	HealthURL, WarmURL    string // of clients
	DrainSeconds          int
	MemoryHigh, MemoryMax string

	DataFS string // of ZEO servers
}

func newUnit(a *topology.App, name, what, program string) unit {
	c := a.Config
	u := unit{
		App:         a.Name,
		Unit:        name,
		Identifier:  strings.TrimSuffix(name, ".service"),
		Description: what + " of " + a.Name,
		User:        c.User,
		Group:       c.Group,
		Current:     c.DeployTo + "/current",
		Program:     c.DeployTo + "/current/" + program,
		Hook:        ScriptDir + "/unit",
		WithEnv:     ScriptDir + "/with-env",
		EnvFile:     appDir(a) + "/app.env",
		Slice:       appSlice(a),
		// var is a link into shared, unless the stack says otherwise.
		Writable:     []string{c.DeployTo + "/shared"},
		StartSeconds: seconds(a.Host.Stack.Plonec.StartTimeout),
	}
	if strings.HasPrefix(program, "/") {
		u.Program = program
	}
	if len(secretEnv(a)) > 0 {
		u.SecretsFile = secretsFile(a)
	}
	u.TimeoutStart = u.StartSeconds + 30
	u.TimeoutStop = 120
	if a.Zeo != nil {
		u.Zeo = a.Zeo.Unit
	}
	if d := a.BlobDir(); d != "" {
		u.Mounts = append(u.Mounts, d)
		u.Writable = append(u.Writable, d)
	}
	for _, dir := range append([]string{c.DeployTo, c.Home}, u.Writable...) {
		u.InHome = u.InHome || strings.HasPrefix(dir+"/", "/home/") && dir != c.Home || strings.HasPrefix(dir, "/root/")
	}
	return u
}

func clientUnits(h *topology.Host) []Instance {
	var all []Instance
	for _, a := range h.Apps {
		if a.Supervised() {
			continue
		}
		for _, c := range a.Clients {
			u := newUnit(a, c.Unit, "Plone "+c.Name, a.Builder().Client.For(c.Name))
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

func zeoUnits(h *topology.Host) []Instance {
	var all []Instance
	for _, a := range h.Apps {
		if a.Zeo == nil || a.Supervised() {
			continue
		}
		z := a.Zeo
		u := newUnit(a, z.Unit, "ZEO server", a.Builder().Zeo.Path)
		u.Args = a.Builder().Zeo.Args
		u.Mounts = append([]string{z.FilestorageDir}, u.Mounts...)
		u.Writable = append(u.Writable, z.FilestorageDir)
		u.Address, u.Port, u.DataFS = z.Address, z.Port, z.FilestorageDir+"/Data.fs"
		all = append(all, Instance{Path: unitPath(z.Unit), Effects: []string{"restart:" + z.Unit}, Data: &u})
	}
	return all
}

func commandUnits(h *topology.Host) []Instance {
	var all []Instance
	for _, a := range h.Apps {
		if a.Supervised() {
			program := a.Builder().Supervisor
			u := newUnit(a, a.Units()[0], "Supervisor", program.For(a.Config.BuildoutSupervisorPart))
			all = append(all, command(u, program.Args, a))
			continue
		}
		for _, c := range a.Commands {
			all = append(all, command(newUnit(a, c.Unit, c.Name, c.Cmd), c.Args, a))
		}
	}
	return all
}

func command(u unit, args string, a *topology.App) Instance {
	u.Foreign = true
	if a.Zeo != nil { // a supervisor runs it
		u.Writable = append(u.Writable, a.Zeo.FilestorageDir)
	}
	u.Args = args
	return Instance{Path: unitPath(u.Unit), Effects: []string{"restart:" + u.Unit}, Data: &u}
}

// sliceUnits gives the slice of each app, and the one over all of them.
func sliceUnits(h *topology.Host) []Instance {
	var all []Instance
	for _, a := range h.Apps {
		if len(a.Units()) > 0 {
			all = append(all, Instance{Path: unitPath(appSlice(a)), Data: "The processes of " + a.Name})
		}
	}
	if len(all) > 0 {
		all = append(all, Instance{Path: unitPath("plone.slice"), Data: "All processes that plonec deployed"})
	}
	return all
}

func appSlice(a *topology.App) string { return "plone-" + escape.SystemdName(a.Name) + ".slice" }

func agentUnits(h *topology.Host) []Instance {
	type state struct {
		Address   string
		AgentPort int
		State     string
	}
	var clients []state
	for _, a := range h.Apps {
		for _, c := range a.Clients {
			clients = append(clients, state{c.Address, c.AgentPort, strings.TrimSuffix(c.Unit, ".service")})
		}
	}
	if len(clients) == 0 {
		return nil
	}
	return []Instance{{Path: unitPath(service.Agent.Unit), Effects: []string{"restart:" + service.Agent.Unit}, Data: struct {
		Program, Hook string
		Clients       []state
	}{ScriptDir + "/agent", ScriptDir + "/unit", clients}}}
}

var unitName = regexp.MustCompile(`^[A-Za-z0-9:_.\\-]+\.(service|slice|timer|mount|automount|socket)$`)

// unitPath is where a unit lies. A name that systemd would refuse is a fault:
// the schema holds the names that it is made of.
func unitPath(name string) string {
	if len(name) > 255 || !unitName.MatchString(name) {
		panic(fmt.Sprintf("%q is no name of a unit", name))
	}
	return unitDir + name
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

// seconds rounds up to whole ones.
func seconds(s schema.Seconds) int {
	return int((time.Duration(s) + time.Second - 1) / time.Second)
}
