package render

import (
	"bytes"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/plonec/plonec/internal/service"
	"github.com/plonec/plonec/internal/topology"
	"github.com/plonec/plonec/schema"
)

// daemonArtifacts are the files that each daemon has. Those of one alone are in the
// file of its name.
var daemonArtifacts = []Artifact{
	{Template: "restart.service.tmpl", Each: restarts},
}

// renders adds the artifacts of a service, and the files that apply makes for it from
// secrets: render/NAME.go calls it. It gives what a variable may keep.
func renders(secrets func(*topology.Host) []SecretFile, list ...Artifact) []Artifact {
	artifacts = append(artifacts, list...)
	if secrets != nil {
		secretFiles = append(secretFiles, secrets)
	}
	return list
}

// of is an artifact's one file on each host that runs a daemon. What a change of it
// does is what the daemon's row says. Its template sees the host.
func of(s *service.Service, path string) func(*topology.Host) []Instance {
	return func(h *topology.Host) []Instance {
		if !h.Runs(s) {
			return nil
		}
		return []Instance{{Path: path, Effects: s.Effects(path), Data: hostView{h}}}
	}
}

// restarts gives each daemon what starts it again when it dies. Nothing needs a
// restart for that.
func restarts(h *topology.Host) []Instance {
	var all []Instance
	for _, s := range h.Services() {
		if s.Packaged() {
			all = append(all, Instance{Path: s.Kind.DropIns() + "plonec-restart.conf"})
		}
	}
	return all
}

// daemonsConf is what the scripts of every host know of daemons: the rows of those that
// packages bring.
func daemonsConf() ([]byte, error) {
	var b bytes.Buffer
	err := programs.Execute(&b, "daemons.conf.tmpl", daemonRows())
	return b.Bytes(), err
}

func daemonRows() any {
	return struct {
		Balancer *service.Service
		Daemons  []*service.Service
	}{service.Balancer(), topology.Daemons()}
}

// Userlist is the name of the userlist in a SecretFile of format userlist.
const Userlist = "plonec"

// HealthPath is topology's.
const HealthPath = topology.HealthPath

// A hostView is what the templates of daemons see.
type hostView struct {
	*topology.Host
}

func (hostView) HealthPath() string { return HealthPath }
func (hostView) Userlist() string   { return Userlist }

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
