package render

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/plonec/plonec/internal/topology"
	"github.com/plonec/plonec/render/escape"
	"github.com/plonec/plonec/schema"
)

// unitArtifacts are what the units of all processes belong to. Those of a service are
// in the file of its name.
//
// There is no target over an app's units: restarting one restarts everything
// at once, and ends 0 where a client failed.
var unitArtifacts = []Artifact{
	{Template: "plone.slice.tmpl", Each: sliceUnits},
}

const unitDir = "/etc/systemd/system/"

// A unit is what the templates of an app's processes have in common.
type unit struct {
	App          string
	Unit         string
	Identifier   string
	Description  string
	User, Group  string
	Current      string // the release that is current: where it runs
	Program      string
	Args         string // a stack's as a shell splits them, a builder's as they stand
	Hook         string // what root runs around the program, without the app's environment
	WithEnv      string // gives the program that environment
	EnvFile      string
	SecretsFile  string // empty: the app has none
	Slice        string
	Zeo          string   // the ZEO unit of this host, which it follows
	Mounts       []string // it waits for what is mounted there
	Writable     []string
	InHome       bool     // something of it lies under /home
	lifted       []string // lines of the sandbox that it does without: see Keeps
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

var unitName = regexp.MustCompile(`^[A-Za-z0-9:_.\\-]+\.(service|slice|timer|mount|automount|socket)$`)

// unitPath is where a unit lies. A name that systemd would refuse is a fault:
// the schema holds the names that it is made of.
func unitPath(name string) string {
	if len(name) > 255 || !unitName.MatchString(name) {
		panic(fmt.Sprintf("%q is no name of a unit", name))
	}
	return unitDir + name
}

// seconds rounds up to whole ones.
func seconds(s schema.Seconds) int {
	return int((time.Duration(s) + time.Second - 1) / time.Second)
}
