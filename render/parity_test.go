package render

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"sort"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/plonec/plonec/internal/topology"
)

// What the original cookbook made of four stacks is in testdata/parity, host
// by host. plonec has to make the same, except for what stands in these two
// tables.

// A difference is an option whose value is another one here, or none.
type difference struct {
	section, option string // a name, or a pattern of names
	why             string
	// same judges the cookbook's value and ours, which is empty where it is missing;
	// nil: it may be missing.
	same func(theirs, ours string) bool
}

var differences = []difference{
	{section: "buildout", option: "unzip", why: "buildout 3 and later has no zipped eggs"},
	{section: "client[0-9]+", option: "http-address", why: "a bare port is every interface",
		same: func(theirs, ours string) bool { return strings.HasSuffix(ours, ":"+theirs) }},
	{section: "client1", option: "environment-vars +=", why: "PYTHON_EGG_CACHE, which nobody set: buildout 2 and later has no zipped eggs",
		same: func(theirs, ours string) bool { return withoutEggCache(theirs) == ours }},
	{section: "client[0-9]+", option: "zeo-client-client", why: "bin/clientN says the name, where it serves: run and debug take no lock of it",
		same: func(_, ours string) bool { return ours == "$(PLONEC_ZEO_CACHE)" }},
	{section: "relstorage", option: "password", why: "a secret: from the environment",
		same: func(_, ours string) bool { return ours == "$(PGPASSWORD)" }},
}

func withoutEggCache(lines string) string {
	return strings.Join(slices.DeleteFunc(strings.Split(lines, "\n"), func(line string) bool { return strings.HasPrefix(line, "PYTHON_EGG_CACHE ") }), "\n")
}

// additions are options that the cookbook left to the base configuration.
var additions = []difference{
	{section: "client1", option: "http-address", why: "the base's bare port is every interface"},
	{section: "client1", option: "threads", why: "HAProxy's maxconn goes by the same number"},
	{section: "client1", option: "initialization +=", why: "which says the name of its cache to a client that serves"},
	{section: "client1", option: "max-request-body-size", why: "the server's limit and nginx's are one"},
	{section: "client1", option: "zeo-var", why: "without it a persistent cache lies in /tmp"},
	{section: "buildout", option: "parts -", why: "what a base has beside and no host of plonec's wants"},
	{section: "client1", option: "zeo-client", why: "the clients go where the stack says, whatever the base says"},
	{section: "client1", option: "zeo-address", why: "the clients go where the stack says, whatever the base says"},
	{section: "client1", option: "zeo-storage", why: "the clients go where the stack says, whatever the base says"},
	{section: "client1", option: "rel-storage", why: "the clients go where the stack says, whatever the base says"},
	{section: "client1", option: "file-storage", why: "the clients go where the stack says, whatever the base says"},
	{section: "client1", option: "shared-blob", why: "the clients go where the stack says, whatever the base says"},
	{section: "client1", option: "rel-storage +=", why: "the same: of two keys the last one counts"},
	{section: "zeoserver", option: "storage-number", why: "the clients ask for it by that name"},
	{section: "zeoserver", option: "file-storage", why: "the server's unit looks for this file"},
	{section: "plonec", option: "trusted-proxy", why: "Zope took the balancer for the visitor"},
	{section: "zeo-host", option: "address", why: "the base's bare port is every interface"},
	{section: "zeoserver", option: "zeo-address", why: "the base's bare port is every interface"},
	{section: "zeoserver", option: "blob-storage", why: "the cookbook made a link of var/blobstorage"},
	{section: "relstorage", option: "db-type", why: "said for MySQL and Oracle too"},
	{section: "relstorage", option: "port", why: "the cookbook forgot it"},
	{section: "relstorage", option: "dsn", why: "without the password"},
}

func find(table []difference, section, option string) *difference {
	for i, d := range table {
		if d.option == option && regexp.MustCompile("^(?:"+d.section+")$").MatchString(section) {
			return &table[i]
		}
	}
	return nil
}

// A parityFile is a NAME.facts.json.
type parityFile struct {
	Hosts map[string]map[string]struct {
		Deploy   map[string]map[string]any `json:"deploy.cfg"`
		Commands []parityCommand           `json:"commands"`
	} `json:"hosts"`
	Servers [][3]string `json:"haproxy_servers"`
}

type parityCommand struct {
	Name, Cmd, Args string
	Delay           int
}

// facts are what both are brought to: lines of text in sets.
type facts struct {
	Sections map[string]map[string]map[string]string // host/app, section, option
	Commands map[string][]string                     // host/app
	Servers  []string
}

func TestParity(t *testing.T) {
	stacks, err := filepath.Glob("../testdata/parity/*.stack.json")
	if err != nil || len(stacks) != 4 {
		t.Fatalf("want four cases, got %v %v", stacks, err)
	}
	for _, stack := range stacks {
		t.Run(strings.TrimSuffix(filepath.Base(stack), ".stack.json"), func(t *testing.T) {
			names := hostNames(t, stack)
			theirs, ours := cookbookFacts(t, stack, names), plonecFacts(t, stack, names)
			for _, f := range faults(theirs, ours) {
				t.Error(f)
			}
			if !t.Failed() {
				noticesLoss(t, theirs, ours)
			}
		})
	}
}

// faults compares.
func faults(theirs, ours facts) []string {
	var all []string
	add := func(format string, args ...any) { all = append(all, fmt.Sprintf(format, args...)) }
	for app, sections := range theirs.Sections {
		for section, options := range sections {
			for option, want := range options {
				got, ok := ours.Sections[app][section][option]
				d := find(differences, section, option)
				switch {
				case ok && got == want:
				case ok && d != nil && d.same != nil && d.same(want, got):
				case !ok && d != nil && (d.same == nil || d.same(want, "")):
				default:
					add("%s [%s] %s: the cookbook had %q, we have %q", app, section, option, want, got)
				}
			}
		}
	}
	for app, sections := range ours.Sections {
		if theirs.Sections[app] == nil {
			add("%s has a deploy.cfg that the cookbook did not make", app)
		}
		for section, options := range sections {
			for option, got := range options {
				if _, ok := theirs.Sections[app][section][option]; !ok && find(additions, section, option) == nil {
					add("%s [%s] %s: %q, which the cookbook did not have", app, section, option, got)
				}
			}
		}
	}
	for _, app := range slices.Sorted(maps.Keys(theirs.Commands)) {
		if want, got := theirs.Commands[app], ours.Commands[app]; !slices.Equal(want, got) {
			add("%s: the cookbook supervised %q, we %q", app, want, got)
		}
	}
	if !slices.Equal(theirs.Servers, ours.Servers) {
		add("HAProxy: the cookbook had %q, we have %q", theirs.Servers, ours.Servers)
	}
	return all
}

// noticesLoss takes away from ours, one after another, everything that the
// cookbook had, and expects a fault each time.
func noticesLoss(t *testing.T, theirs, ours facts) {
	checked := 0
	expect := func(what string) {
		checked++
		if len(faults(theirs, ours)) == 0 {
			t.Errorf("nobody would notice the loss of %s", what)
		}
	}
	for app, sections := range theirs.Sections {
		for section, options := range sections {
			for option := range options {
				mine := ours.Sections[app][section]
				value, ok := mine[option]
				if !ok {
					continue
				}
				delete(mine, option)
				expect(app + " " + section + " " + option)
				mine[option] = value
				for _, line := range strings.Split(value, "\n") {
					mine[option] = strings.Replace(value, line, "", 1)
					expect(app + " " + section + " " + option + " " + line)
				}
				mine[option] = value
			}
		}
	}
	for app, commands := range ours.Commands {
		for i := range commands {
			ours.Commands[app] = slices.Delete(slices.Clone(commands), i, i+1)
			expect(app + " " + commands[i])
		}
		ours.Commands[app] = commands
	}
	servers := ours.Servers
	for i := range servers {
		ours.Servers = slices.Delete(slices.Clone(servers), i, i+1)
		expect(servers[i])
	}
	ours.Servers = servers
	if checked < 10 {
		t.Errorf("only %d losses tried", checked)
	}
}

// A naming replaces every address of a host by its name.
type naming []struct{ address, host string }

func hostNames(t *testing.T, stack string) naming {
	var s struct {
		Opsworks struct {
			Layers map[string]struct {
				Instances map[string]struct {
					IP  string `json:"private_ip"`
					DNS string `json:"private_dns_name"`
				}
			}
		}
	}
	readJSON(t, stack, &s)
	var names naming
	for _, l := range s.Opsworks.Layers {
		for host, i := range l.Instances {
			names = append(names, struct{ address, host string }{i.IP, host}, struct{ address, host string }{i.DNS, host})
		}
	}
	return names
}

var addressLike = regexp.MustCompile(`[0-9A-Za-z][0-9A-Za-z.-]*[0-9A-Za-z]`)

func (n naming) apply(s, self string) string {
	return addressLike.ReplaceAllStringFunc(s, func(word string) string {
		if word == "127.0.0.1" {
			return self
		}
		for _, x := range n {
			if word == x.address {
				return x.host
			}
		}
		return word
	})
}

func cookbookFacts(t *testing.T, stack string, names naming) facts {
	var file parityFile
	readJSON(t, strings.TrimSuffix(stack, ".stack.json")+".facts.json", &file)
	f := facts{Sections: map[string]map[string]map[string]string{}, Commands: map[string][]string{}}
	for host, apps := range file.Hosts {
		for recipe, made := range apps {
			key := host + "/" + map[string]string{"instances": "plone_instances", "zeoserver": "zeoserver"}[recipe]
			f.Sections[key] = map[string]map[string]string{}
			for section, options := range made.Deploy {
				f.Sections[key][section] = map[string]string{}
				for option, value := range options {
					text, list := value.(string)
					if !list {
						var lines []string
						for _, line := range value.([]any) {
							lines = append(lines, line.(string))
						}
						text = strings.Join(lines, "\n")
					}
					f.Sections[key][section][option] = names.apply(text, host)
				}
			}
			for _, c := range made.Commands {
				f.Commands[key] = append(f.Commands[key], commandLine(c))
			}
			sort.Strings(f.Commands[key])
		}
	}
	for _, s := range file.Servers {
		f.Servers = append(f.Servers, names.apply(s[1], "")+":"+s[2])
	}
	sort.Strings(f.Servers)
	return f
}

// commandLine is how both sides write a process. The server itself takes the
// place of bin/zeoserver, whose fg and console only wrap it.
func commandLine(c parityCommand) string {
	if c.Cmd == "bin/zeoserver" {
		return "parts/zeoserver/bin/runzeo"
	}
	line := c.Cmd + " " + c.Args
	if c.Delay > 0 {
		line += " after " + strconv.Itoa(c.Delay) + " s"
	}
	return line
}

func plonecFacts(t *testing.T, stack string, names naming) facts {
	topo := resolved(t, stack)
	f := facts{Sections: map[string]map[string]map[string]string{}, Commands: map[string][]string{}}
	texts := map[string]buildoutText{}
	for _, h := range topo.Hosts {
		files, err := Host(h)
		if err != nil {
			t.Fatal(err)
		}
		byPath := map[string]string{}
		for _, file := range files {
			byPath[file.Path] = string(file.Content)
		}
		for _, a := range h.Apps {
			key := h.Name + "/" + a.Name
			texts[key] = buildoutText{Text: byPath["/etc/plonec/"+a.Name+"/deploy.cfg"]}
			f.Commands[key] = started(t, a, byPath)
		}
	}
	for key, read := range readByBuildout(t, texts) {
		if read.Error != "" {
			t.Fatalf("%s: %s", key, read.Error)
		}
		host, _, _ := strings.Cut(key, "/")
		f.Sections[key] = map[string]map[string]string{}
		for section, options := range read.Parsed {
			f.Sections[key][section] = map[string]string{}
			for option, value := range options {
				// The parser gives "parts +" for parts += and "<" for <=.
				if strings.HasSuffix(option, "+") || option == "<" {
					option += "="
				}
				f.Sections[key][section][option] = names.apply(value, host)
			}
		}
	}
	fronts := 0
	for _, h := range topo.Hosts {
		if h.Front == nil {
			continue
		}
		fronts++
		f.Servers = nil
		for _, b := range h.Front.Backends {
			for _, s := range b.Servers {
				f.Servers = append(f.Servers, names.apply(s.Address, h.Name)+":"+strconv.Itoa(s.Port))
			}
		}
	}
	if fronts != 1 {
		t.Errorf("%d front ends", fronts)
	}
	sort.Strings(f.Servers)
	return f
}

var execStart = regexp.MustCompile(`(?m)^ExecStart=.*/current/(.*)$`)

// started lists what the units of an app run.
func started(t *testing.T, a *topology.App, files map[string]string) []string {
	var all []string
	for _, unit := range a.Units() {
		m := execStart.FindStringSubmatch(files["/etc/systemd/system/"+unit])
		if m == nil {
			t.Fatalf("%s starts nothing", unit)
		}
		line := strings.ReplaceAll(m[1], `"`, "")
		if delay := time.Duration(a.Host.Stack.PloneInstances.RestartDelay); delay > 0 && strings.HasPrefix(line, "bin/client") {
			line += " after " + strconv.Itoa(int(delay.Seconds())) + " s"
		}
		all = append(all, line)
	}
	sort.Strings(all)
	return all
}

func readJSON(t *testing.T, name string, to any) {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, to); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}
