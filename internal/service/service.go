// Package service says what hosts run: a row a service, each in the file of its
// name. Its attributes are in schema/NAME.cue, what is rendered of it in
// render/NAME.go and templates/NAME/, how a host proves it in
// templates/NAME/NAME.sh, how check --native asks its checker in
// internal/native/NAME.go.
package service

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/plonec/plonec/schema"
)

// A Service is all that plonec knows of something that hosts run for good. It is a
// daemon, with a unit of its system's package, or belongs to the apps of a host,
// with units of theirs, or nothing sets it up yet.
type Service struct {
	// Name is that of its files, and the kind of its units in the manifest.
	Name string
	// Title is its name in words: ZEO server.
	Title string
	// Process is what one of several of an app is called, as people count them; empty: its
	// title.
	Process string
	// Role is the role of its hosts, as a stack names it.
	Role string
	// Also are other roles whose hosts run it too.
	Also []string
	// Place is its place among the services of its role, on a request's way.
	Place int
	// Public: visitors reach it, so that it starts when the others run.
	Public bool
	// Servers, of the one that sends requests to clients, lists those that its
	// Config names, with their addresses.
	Servers func(config []byte) map[string]bool

	// Unit is a daemon's, in systemd; empty: it is none.
	Unit string
	// On tells which hosts of the role run the daemon; nil: all.
	On func(*schema.Stack) bool
	// Program is what the daemon runs, found in PATH of root.
	Program string
	// Packages are what setup installs for the daemon, as apt-get takes them.
	// A unit of plonec's own has none.
	Packages []string
	// Config is its configuration's main file.
	Config string
	// Reloads and Restarts are patterns of the files that a reload or a restart
	// takes in. A file in /etc/default of the unit's name and drop-ins of the unit
	// are for a restart, too.
	Reloads, Restarts []string
	// IPv6 is the attribute by which it listens on addresses of IPv6 too, whatever the
	// host's own is: a kernel without IPv6 does not let it start.
	IPv6 Switch
	// OfApp: the apps of a host have units of it. One that Serves is what others of
	// the app wait for while it restarts: it starts first. One that is Balanced
	// takes requests of balancers.
	OfApp, Serves, Balanced bool
	// Tells: it tells balancers which clients may be sent requests.
	Tells bool
	// Frontend: it shows visitors an app's pages, by what its clients answer.
	Frontend bool

	// ByHand is what nothing sets up yet, as it stands in a sentence, where others are
	// told to find it.
	ByHand string
	// Use is what others ask it for.
	Use Use
	// Ports are those on which it listens.
	Ports func(Host) []Port
	// Shows is what a picture shows of it on a host; nil: its title and ports.
	Shows func(Host) []Process
}

// A Host is what a row is told of one.
type Host struct {
	Stack     *schema.Stack // in its view
	TLS       bool          // some site of it has a certificate of its own
	Balancers int           // that share what they know of visitors; 0: there is one alone, or none
	API       bool          // front ends of other hosts ask its clients
}

// A Switch is an attribute that is true or false. The zero Switch is never on.
type Switch struct {
	Path string
	On   func(*schema.Stack) bool
}

// Is tells whether it is on.
func (s Switch) Is(stack *schema.Stack) bool { return s.On != nil && s.On(stack) }

// A Use is what a service is asked for.
type Use string

// The uses.
const (
	Database Use = "database"
	Cache    Use = "cache"
	Search   Use = "search"
	Jobs     Use = "jobs"
	Files    Use = "files"
)

// A Port is one that a service listens on.
type Port struct {
	Number int
	For    string // apart from what the service is for: purge; empty: not apart
	Path   string // the attribute that gives it; empty: it is always this one
	Each   bool   // the first of a host listens on Number+1, the second on Number+2
	From   From   // who connects to it
}

// A From is who connects to a port: every port has one, of these.
type From string

// Those who connect.
const (
	Visitors    From = "visitors, and balancers in front"
	Watchers    From = "networks of `nginx_plone.status`, and its own host"
	ItsOwnHost  From = "its own host alone"
	FrontEnds   From = "front ends"
	VoltoHosts  From = "hosts with Volto"
	ClientHosts From = "hosts with clients"
)

// OfHosts tells whether other hosts of the stack connect, and nobody else is to.
func (f From) OfHosts() bool { return f == FrontEnds || f == VoltoHosts || f == ClientHosts }

// Range is from which number to which it is, for the first n (1 or more) of a host.
func (p Port) Range(n int) (first, last int) {
	if p.Each {
		return p.Number + 1, p.Number + n
	}
	return p.Number, p.Number
}

// A Process is what a picture shows that a host runs, or keeps.
type Process struct {
	What string
	At   string // its ports, or its folder; empty: none
}

var rows []*Service

// add adds a row.
func add(s Service) *Service {
	rows = append(rows, &s)
	slices.SortFunc(rows, func(a, b *Service) int { return strings.Compare(a.Name, b.Name) })
	return &s
}

// All are all services, by name.
func All() []*Service { return rows }

// Of are the services of a role, as a request meets them. They are not to be changed.
func Of(role string) []*Service { return byRole()[role] }

// byRole is made once all rows are known: every host asks.
var byRole = sync.OnceValue(func() map[string][]*Service {
	all := map[string][]*Service{}
	for _, s := range slices.SortedStableFunc(slices.Values(rows), func(a, b *Service) int { return cmp.Compare(a.Place, b.Place) }) {
		all[s.Role] = append(all[s.Role], s)
		for _, role := range s.Also {
			if role != s.Role {
				all[role] = append(all[role], s)
			}
		}
	}
	return all
})

// Named is the service of a name; nil: there is none.
func Named(name string) *Service {
	for _, s := range rows {
		if s.Name == name {
			return s
		}
	}
	return nil
}

// Balancer is the one that sends requests to clients.
func Balancer() *Service { return the(func(s *Service) bool { return s.Servers != nil }) }

// Teller is the one that tells balancers of the clients of its host.
func Teller() *Service { return the(func(s *Service) bool { return s.Tells }) }

// Asked is the one that others ask for something.
func Asked(u Use) *Service { return the(func(s *Service) bool { return s.Use == u }) }

// Store is the one that keeps an app's database, where no database server of
// others does.
func Store() *Service { return the(func(s *Service) bool { return s.Serves }) }

func the(is func(*Service) bool) *Service { return rows[slices.IndexFunc(rows, is)] }

// Runs tells whether a host that has the role runs the daemon.
func (s *Service) Runs(stack *schema.Stack) bool {
	return s.Unit != "" && (s.On == nil || s.On(stack))
}

// Daemon is the unit's name less its ending: haproxy.
func (s *Service) Daemon() string { return strings.TrimSuffix(s.Unit, ".service") }

// DropIns is the folder of what the unit is told beside its package's.
func (s *Service) DropIns() string { return "/etc/systemd/system/" + s.Unit + ".d/" }

// Effects are what a change of one of the daemon's files does.
func (s *Service) Effects(file string) []string {
	switch {
	case matches(s.Reloads, file):
		return []string{"reload:" + s.Unit}
	case matches(s.Restarts, file), file == "/etc/default/"+s.Daemon(), file == s.DropIns()+"plonec.conf":
		return []string{"restart:" + s.Unit}
	}
	return nil
}

func matches(patterns []string, file string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { is, _ := path.Match(p, file); return is })
}

// Processes are what a picture shows of the service on a host.
func (s *Service) Processes(h Host) []Process {
	if s.Shows != nil {
		return s.Shows(h)
	}
	list := []Process{{What: s.Title}}
	if s.Ports == nil {
		return list
	}
	var ports []string
	for _, p := range s.Ports(h) {
		if p.For == "" {
			ports = append(ports, strconv.Itoa(p.Number))
		} else {
			list = append(list, Process{p.For, strconv.Itoa(p.Number)})
		}
	}
	list[0].At = strings.Join(ports, ", ")
	return list
}

// PortOf is how a message says whose a port is.
func (s *Service) PortOf(p Port) string {
	if p.For == "" {
		return s.Title
	}
	return fmt.Sprintf("%s (%s)", s.Title, p.For)
}

// Counted is what one of several of an app is called: 2 clients.
func (s *Service) Counted() string { return cmp.Or(s.Process, s.Title) }
