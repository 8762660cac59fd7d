package render

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/plonec/plonec/internal/builder"
	"github.com/plonec/plonec/internal/service"
	"github.com/plonec/plonec/internal/topology"
	"github.com/plonec/plonec/render/escape"
	"github.com/plonec/plonec/schema"
)

var _ = renders(nil, Artifact{Template: "volto.service.tmpl", Each: voltoUnits})

// nodeDir has a Node of each version, and of each list of sums.
const nodeDir = "/opt/plonec/node"

// voltoUnits gives each process of Volto a unit, which runs Node itself: pnpm in between
// would leave it running.
func voltoUnits(h *topology.Host) []Instance {
	type voltoUnit struct {
		unit
		Environment []string // NAME=VALUE
		Dir         string
	}
	var all []Instance
	for _, a := range h.Apps {
		for _, v := range a.Voltos {
			u := voltoUnit{unit: newUnit(a, v.Unit, "Volto "+v.Name, nodeProgram(h.Stack.Volto))}
			u.lifted = append(slices.Clone(liftedBy(a)), writeExecute)
			u.Dir = u.Current + "/" + builder.Volto.Dir
			u.Args = builder.Volto.Server
			u.Address, u.Port = v.Address, v.Port
			u.HealthURL, u.WarmURL = service.VoltoPath, "/"
			u.MemoryHigh, u.MemoryMax = memory(h.Stack.Volto.Memory)
			u.DrainSeconds = seconds(h.Stack.Plonec.DrainTimeout)
			u.TimeoutStart = u.StartSeconds + warmSeconds + 30
			u.TimeoutStop = u.DrainSeconds + 60
			u.Zeo, u.Mounts, u.Writable = "", nil, u.Writable[:1] // of the clients beside it
			u.Environment = []string{"NODE_ENV=production", "RAZZLE_BIND_ADDRESS=" + v.Address, "PORT=" + strconv.Itoa(v.Port)}
			if v.Site != nil {
				u.Environment = append(u.Environment, "RAZZLE_API_PATH="+publicURL(v.Site), "RAZZLE_INTERNAL_API_PATH="+internalURL(v))
			}
			all = append(all, Instance{Path: unitPath(v.Unit), Effects: []string{"restart:" + v.Unit}, Data: &u})
		}
	}
	return all
}

// nodeProgram is the Node that a stack names by its version, or by its path.
func nodeProgram(v *schema.Volto) string {
	if strings.HasPrefix(v.Node, "/") {
		return v.Node
	}
	return nodeHome(v) + "/bin/node"
}

// nodeHome is the folder of a Node that is fetched. One of other sums is another file, and
// comes beside the one that runs.
func nodeHome(v *schema.Volto) string {
	home := nodeDir + "/" + v.Node
	if len(v.NodeSHA256) > 0 {
		home += fmt.Sprintf("-%x", sha256.Sum256([]byte(strings.Join(v.NodeSHA256, "\n"))))[:13]
	}
	return home
}

// Node is the Node that builds the app's frontend here, as a stack names it; empty: none
// is built.
func (b buildConf) Node() string {
	if len(b.Voltos) == 0 {
		return ""
	}
	return b.Voltos[0].Node
}

// NodeHome is where it is, if it is fetched.
func (b buildConf) NodeHome() string {
	if strings.HasPrefix(b.Node(), "/") {
		return ""
	}
	return nodeHome(b.Host.Stack.Volto)
}

// NodeSums are the sums of what is fetched as that Node, one of which it has; none: any.
func (b buildConf) NodeSums() []string { return b.Host.Stack.Volto.NodeSHA256 }

// FrontendOn says who builds it: hosts, or here, where plonec runs.
func (b buildConf) FrontendOn() string { return b.Host.Stack.Volto.BuildOn }

// OnlyFrontend tells whether nothing runs here that the app's builder makes.
func (b buildConf) OnlyFrontend() bool { return len(b.Units()) == len(b.Voltos) }

// Frontends are the processes of the app's frontend here.
func (a appConf) Frontends() []*topology.VoltoProcess { return a.Voltos }

// FrontendHealth is the path that says whether one of them is well.
func (appConf) FrontendHealth() string { return service.VoltoPath }

// FrontendHere tells whether an app's frontend on a host is built where plonec runs, and
// brought there.
func FrontendHere(a *topology.App) bool {
	return len(a.Voltos) > 0 && a.Host.Stack.Volto.BuildOn == "here"
}

// publicURL is the address at which visitors have a site.
func publicURL(s *topology.Site) string {
	return public(s, s.TLS).Scheme + "://" + s.PublicName()
}

// internalURL is where Volto asks for the same site, without leaving the stack's network.
func internalURL(v *topology.VoltoProcess) string {
	p := public(v.Site, v.Site.TLS)
	return fmt.Sprintf("http://%s/VirtualHostBase/%s/%s:%d/%s/VirtualHostRoot", v.Balancer, p.Scheme, v.Site.PublicName(), p.Port, escape.URLPath(p.Path))
}

// Volto tells whether visitors of some app are shown Volto's pages.
func (v hostView) Volto() bool {
	return slices.ContainsFunc(v.Front.Backends, func(b *topology.Backend) bool { return b.Volto })
}

// VoltoPath says whether a process of Volto is well.
func (hostView) VoltoPath() string { return service.VoltoPath }

// BackendPath matches what Volto does not show, in a path that nginx has decoded: the API
// and all that begins with another namespace of Zope's (++api++, ++resource++), what Zope's
// user folders answer (a login elsewhere comes back to them), and its management interface.
func (hostView) BackendPath() string {
	return `(?s)^/(?:\+\+[^/+]+\+\+|(?:acl_users|misc_|p_)(?:/|\z))|^` + strings.TrimPrefix(zmiPath, "(?s)^1 ")
}
