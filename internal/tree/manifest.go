// Package tree is the compiled tree on disk: what is in it, how it is written
// and pruned, and how it is compared with what a build would write.
package tree

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/plonec/plonec/internal/builder"
	"github.com/plonec/plonec/internal/regular"
	"github.com/plonec/plonec/internal/service"
	"github.com/plonec/plonec/internal/topology"
	"github.com/plonec/plonec/internal/words"
	"github.com/plonec/plonec/render"
)

// Format is the version of the manifest's own layout. One of format 1, which
// plonec 0.1 wrote, is read by Parse and Read for what it has, and by nothing that
// works with hosts.
const Format = 2

// ManifestName is the manifest's file in the tree.
const ManifestName = "manifest.json"

// Unlisted is how many files of a tree its manifest does not list: README.md and itself.
const Unlisted = 2

const readmeName = "README.md"

// MaxFile bounds each file of a tree, the manifest too, in bytes. The manifest
// of 1,000 hosts has 3 MiB, their largest file 0.3 MiB.
const MaxFile = 32 << 20

// ReadManifest gives the bytes of the manifest of a tree, which is a regular
// file of at most MaxFile. Where there is none the error is fs.ErrNotExist.
func ReadManifest(dir string) ([]byte, error) {
	data, err := regular.ReadHere(filepath.Join(dir, ManifestName), MaxFile)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("%w: restore it from git, or build into a new folder", err)
	}
	return data, err
}

// A Manifest lists everything that a tree holds and where it goes. It never
// holds the value of a secret.
type Manifest struct {
	Format  int      `json:"format"`
	Plonec  string   `json:"plonec"` // the release that built it
	Inputs  Inputs   `json:"inputs"`
	Hosts   []Host   `json:"hosts"`
	Files   []File   `json:"files"`
	Secrets []Secret `json:"secrets"`
}

// Inputs is what a tree was built from. Paths are relative to the tree, with
// slashes.
type Inputs struct {
	Stack  []string          `json:"stack"` // as given, in the order of the merge
	Files  []Input           `json:"files"` // every file read, imports too, sorted
	ExtStr map[string]string `json:"ext_str,omitempty"`
	TLAStr map[string]string `json:"tla_str,omitempty"`
	// Names are the paths of Files by the names under which this build read
	// them. They are not written: each machine has its own.
	Names map[string]string `json:"-"`
}

// An Input is a file that was read.
type Input struct {
	Path string `json:"path"`
	Sum  string `json:"sha256"`
}

// A Host is one machine of the stack.
type Host struct {
	Name       string   `json:"name"`
	Address    string   `json:"address"`
	SSHAddress string   `json:"ssh_address"`
	Layers     []string `json:"layers"`
	Status     string   `json:"status"`
	SSH        SSH      `json:"ssh"`
	// Rank is the host's place in the order in which hosts are applied to: what
	// others need has a lower one.
	Rank topology.Rank `json:"rank"`
	// Services are what it runs for good, in the order in which they start.
	Services []Service `json:"services"`
	Apps     []App     `json:"apps"`    // sorted by name
	Helpers  []string  `json:"helpers"` // the helper recipes that are for it, by name: plonec run NAME
	// Packages are what setup makes sure of, as apt-get takes them, sorted.
	Packages []string `json:"packages"`
	Setup    string   `json:"setup"` // the sum of what setup depends on: another one makes it due
	// Certificates are those that its visitors are shown, sorted by app.
	Certificates []Certificate `json:"certificates,omitempty"`
}

// A Certificate is what an app is served with by TLS.
type Certificate struct {
	App   string   `json:"app"`
	Path  string   `json:"path"`  // its file on the host, with those of its issuers
	Key   string   `json:"key"`   // the file of its key
	Names []string `json:"names"` // by which visitors come; empty: by any
}

// Runs tells whether the host has services of a kind.
func (h *Host) Runs(kind string) bool {
	return slices.ContainsFunc(h.Services, func(s Service) bool { return s.Kind == kind })
}

// A Service is a unit that a host runs for good.
type Service struct {
	Unit   string        `json:"unit"`             // its name in systemd
	Kind   string        `json:"kind"`             // a service.Service's name
	App    string        `json:"app,omitempty"`    // whose process it is; empty: the host's own
	Server string        `json:"server,omitempty"` // what balancers call it; empty: they do not
	Rank   topology.Rank `json:"rank"`             // as Host.Rank
	IPv6   bool          `json:"ipv6,omitempty"`   // it listens on addresses of IPv6, whatever the host's own is
}

// An App is what a host has of an app.
type App struct {
	Name     string `json:"name"`
	Builder  string `json:"builder,omitempty"`  // what makes its releases; empty: the default one
	Config   string `json:"config"`             // the sum of what its releases are made of, but for the commit and secrets
	Storage  string `json:"storage"`            // in words: the database that it writes into
	DataFS   string `json:"data_fs,omitempty"`  // the directory of the Data.fs that it serves; empty: it serves none
	Revision string `json:"revision,omitempty"` // a branch, tag or commit; empty: the repository's own
	Always   bool   `json:"always,omitempty"`   // every deploy makes a new release
	Key      string `json:"key,omitempty"`      // the file of the ssh key that reads its repository; empty: it has none
	// FrontendHere tells that its frontend is built where plonec runs, and brought.
	FrontendHere bool `json:"frontend_here,omitempty"`
	// Duties are the roles that this host alone has for the app: celerybeat, pack.
	Duties []topology.Role `json:"duties,omitempty"`
	// ServedBy is the app of the stack that serves its database, on another host or on
	// this one; empty: none does.
	ServedBy Server `json:"served_by,omitzero"`
}

// MadeBy is what makes the app's releases.
func (a App) MadeBy() *builder.Builder {
	b, _ := builder.Named(a.Builder)
	return b
}

// A Server is the app that serves a database, and its host.
type Server struct {
	Host string `json:"host"`
	App  string `json:"app"`
}

// SSH is how a host is reached. What is not set is as ssh's own configuration
// says.
type SSH struct {
	User       string `json:"user,omitempty"`
	Port       int    `json:"port,omitempty"`
	KnownHosts string `json:"known_hosts,omitempty"` // relative to the tree, or absolute
}

// A File goes to one host, or with the host "*" to every one.
type File struct {
	Host   string   `json:"host"`
	Path   string   `json:"path"` // absolute, on the host
	Sum    string   `json:"sha256"`
	Mode   string   `json:"mode"` // octal: 0644
	Owner  string   `json:"owner"`
	Effect []string `json:"effect"`
}

// A Secret is a file that apply makes on the host. Its sources say where the
// values come from.
type Secret struct {
	Host    string        `json:"host"`
	Path    string        `json:"path"`
	Mode    string        `json:"mode"`
	Owner   string        `json:"owner"`
	Effect  []string      `json:"effect"`
	Format  string        `json:"format"` // raw, env or userlist
	Entries []SecretEntry `json:"entries"`
}

// A SecretEntry is one value of a Secret.
type SecretEntry struct {
	Key    string `json:"key"`
	Source string `json:"source"`
	// Dir is the folder of the file that says the source, in which its relative
	// paths begin and its command runs, relative to the tree; empty: that of the
	// first STACK.
	Dir string `json:"dir,omitempty"`
}

// Rel is where the file lies in the tree.
func (f File) Rel() string {
	if f.Host == "*" {
		return "common/root" + f.Path
	}
	return "hosts/" + f.Host + "/root" + f.Path
}

// Names are the files of a tree, relative to it, sorted: those that the manifest
// lists, the manifest itself and the README.
func (m *Manifest) Names() []string {
	list := []string{ManifestName, readmeName}
	for _, f := range m.Files {
		list = append(list, f.Rel())
	}
	slices.Sort(list)
	return list
}

// Bytes is the manifest as JSON with one line for each host, file and secret,
// so that a diff of two manifests shows one line a change.
func (m *Manifest) Bytes() ([]byte, error) {
	var b bytes.Buffer
	err := m.write(&b)
	return b.Bytes(), err
}

// write writes those bytes line by line.
func (m *Manifest) write(to io.Writer) error {
	w := bufio.NewWriter(to)
	enc := func(v any) error {
		_, err := w.WriteString(strings.TrimSuffix(words.JSONLine(v), "\n"))
		return err
	}
	fmt.Fprintf(w, "{\n\"format\": %d,\n\"plonec\": %q,\n\"inputs\": ", m.Format, m.Plonec)
	if err := enc(m.Inputs); err != nil {
		return err
	}
	if err := lines(w, "hosts", m.Hosts, enc); err != nil {
		return err
	}
	if err := lines(w, "files", m.Files, enc); err != nil {
		return err
	}
	if err := lines(w, "secrets", m.Secrets, enc); err != nil {
		return err
	}
	w.WriteString("\n}\n")
	return w.Flush()
}

func lines[T any](w *bufio.Writer, name string, list []T, enc func(any) error) error {
	fmt.Fprintf(w, ",\n%q: [", name)
	for i := range list {
		if i > 0 {
			w.WriteByte(',')
		}
		w.WriteString("\n")
		if err := enc(&list[i]); err != nil {
			return err
		}
	}
	if len(list) > 0 {
		w.WriteByte('\n')
	}
	return w.WriteByte(']')
}

// A FormatError is of a manifest whose layout this plonec does not know.
type FormatError struct {
	Plonec string // that wrote it
	Format int
}

func (e *FormatError) Error() string {
	return fmt.Sprintf("plonec %s wrote it in format %d, but this plonec reads up to format %d", e.Plonec, e.Format, Format)
}

// Unreadable is the error of a manifest that Parse refused with err. It says what
// to do.
func Unreadable(name string, err error) error {
	remedy := "restore it from git, or build into a new folder"
	var other *FormatError
	if errors.As(err, &other) {
		remedy = "run plonec " + other.Plonec + ", or a later release"
	}
	return fmt.Errorf("%s cannot be read (%w): %s", name, err, remedy)
}

// Parse reads a manifest. One of a format that this plonec does not know, with
// a path that would leave the tree, with a host's name that no stack may have, or
// with anything twice is an error.
func Parse(data []byte) (*Manifest, error) {
	var m Manifest
	if err := json.Unmarshal(data, &m); err != nil {
		return nil, err
	}
	if m.Format < 1 || m.Format > Format {
		return nil, &FormatError{m.Plonec, m.Format}
	}
	if m.Format == 1 {
		m.upgrade()
	}
	if err := m.judge(); err != nil {
		return nil, err
	}
	return &m, nil
}

// hostName is the schema's rule for the names of instances.
var hostName = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$`)

const maxHostName = 64

// judge says what no build writes. What stands twice would be two things: whoever
// looks it up by its name sees one of them, and the other is done.
func (m *Manifest) judge() error {
	type place struct{ host, path string }
	seen := map[place]bool{}
	again := func(host, path string) bool {
		was := seen[place{host, path}]
		seen[place{host, path}] = true
		return was
	}
	for _, h := range m.Hosts {
		switch {
		case len(h.Name) > maxHostName || !hostName.MatchString(h.Name):
			return fmt.Errorf("it lists a host with an invalid name: %q", h.Name)
		case again(h.Name, ""):
			return fmt.Errorf("it lists the host %s twice", h.Name)
		}
		if err := h.judge(); err != nil {
			return err
		}
	}
	for _, f := range m.Files {
		switch {
		case !safe(f):
			return fmt.Errorf("it lists a path that leaves the tree: %q on %q", f.Path, f.Host)
		case again(f.Host, f.Path):
			return fmt.Errorf("it lists %q on %q twice", f.Path, f.Host)
		}
		if err := known(f.Effect); err != nil {
			return err
		}
	}
	for _, s := range m.Secrets {
		switch {
		case s.Host == "*" || !safe(File{Host: s.Host, Path: s.Path}):
			return fmt.Errorf("it lists a path that leaves the tree: %q on %q", s.Path, s.Host)
		case again(s.Host, s.Path):
			return fmt.Errorf("it lists %q on %q twice", s.Path, s.Host)
		}
		if err := known(s.Effect); err != nil {
			return err
		}
	}
	return nil
}

// known: whoever passed over an effect would say of a change that it does nothing.
func known(effects []string) error {
	for _, e := range effects {
		if !render.IsEffect(e) {
			return fmt.Errorf("it lists an unknown effect: %q", e)
		}
	}
	return nil
}

// The names that systemd takes for a unit, and those that the schema lets an app and
// a balancer's server have: they become words of questions and commands.
var (
	unitName = regexp.MustCompile(`^[A-Za-z0-9:_.@\\-]+\.(service|timer|socket|mount|automount)$`)
	appName  = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]*$`)
)

// judge says what no build writes of what a host is.
func (h *Host) judge() error {
	seen := map[string]bool{}
	for _, a := range h.Apps {
		switch {
		case !appName.MatchString(a.Name):
			return fmt.Errorf("it lists an app with an invalid name: %q on %s", a.Name, h.Name)
		case seen[a.Name]:
			return fmt.Errorf("it lists the app %s on %s twice", a.Name, h.Name)
		case a.MadeBy() == nil:
			return fmt.Errorf("it lists the app %s on %s with an unknown builder: %q", a.Name, h.Name, a.Builder)
		case a.Key != "" && !safe(File{Host: h.Name, Path: a.Key}):
			return fmt.Errorf("it lists a path that leaves the tree: %q on %q", a.Key, h.Name)
		}
		seen[a.Name] = true
	}
	for _, c := range h.Certificates {
		switch {
		case !appName.MatchString(c.App):
			return fmt.Errorf("it lists an app with an invalid name: %q on %s", c.App, h.Name)
		case !safe(File{Host: h.Name, Path: c.Path}) || !safe(File{Host: h.Name, Path: c.Key}):
			return fmt.Errorf("it lists a path that leaves the tree: %q, %q on %q", c.Path, c.Key, h.Name)
		}
	}
	// Hosts are gone through rank by rank: nothing would be done on one of another.
	if !slices.Contains(topology.Ranks, h.Rank) {
		return fmt.Errorf("it lists %s with an invalid rank: %d", h.Name, h.Rank)
	}
	units := map[string]bool{}
	for _, s := range h.Services {
		switch {
		case !unitName.MatchString(s.Unit):
			return fmt.Errorf("it lists a service with an invalid unit: %q on %s", s.Unit, h.Name)
		case units[s.Unit]:
			return fmt.Errorf("it lists the service %s on %s twice", s.Unit, h.Name)
		case s.App != "" && !seen[s.App]:
			return fmt.Errorf("it lists the service %s of an app that %s does not have: %q", s.Unit, h.Name, s.App)
		case s.Server != "" && !appName.MatchString(s.Server):
			return fmt.Errorf("it lists a server with an invalid name: %q on %s", s.Server, h.Name)
		case service.Named(s.Kind) == nil:
			return fmt.Errorf("it lists the service %s on %s with an unknown kind: %q", s.Unit, h.Name, s.Kind)
		case s.IPv6 && service.Named(s.Kind).IPv6.On == nil:
			return fmt.Errorf("it lists the service %s on %s as one of IPv6, which a %s is not", s.Unit, h.Name, s.Kind)
		case !slices.Contains(topology.Ranks, s.Rank):
			return fmt.Errorf("it lists the service %s on %s with an invalid rank: %d", s.Unit, h.Name, s.Rank)
		}
		units[s.Unit] = true
	}
	return nil
}

// Service is what the manifest says of a unit of a host; it is empty where it says
// nothing.
func (m *Manifest) Service(host, unit string) Service {
	for i := range m.Hosts {
		if m.Hosts[i].Name == host {
			return m.Hosts[i].Service(unit)
		}
	}
	return Service{}
}

// Service is what the tree says of a unit of the host; it is empty where it says
// nothing.
func (h *Host) Service(unit string) Service {
	for _, s := range h.Services {
		if s.Unit == unit {
			return s
		}
	}
	return Service{}
}

// safe tells whether a file of a manifest lies inside the tree.
func safe(f File) bool {
	if f.Host != "*" && (f.Host == "" || f.Host[0] == '.' || strings.ContainsAny(f.Host, "/\\\x00")) {
		return false
	}
	return path.IsAbs(f.Path) && path.Clean(f.Path) == f.Path && f.Path != "/" && !strings.ContainsAny(f.Path, "\x00\n\r")
}
