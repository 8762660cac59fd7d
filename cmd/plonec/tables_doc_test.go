package main

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/plonec/plonec/internal/service"
	"github.com/plonec/plonec/internal/topology"
	"github.com/plonec/plonec/render"
	"github.com/plonec/plonec/templates"
)

// between holds what stands between the comments "NAME" and "end of NAME" of a
// file against text; -update writes it there.
func between(t *testing.T, file, name, text string) {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := bytes.Cut(content, []byte("<!-- "+name+" -->\n"))
	now, after, closed := bytes.Cut(rest, []byte("<!-- end of "+name+" -->\n"))
	if !found || !closed {
		t.Fatalf("%s does not have the comments %q and %q", file, name, "end of "+name)
	}
	if *update {
		whole := fmt.Sprintf("%s<!-- %s -->\n%s<!-- end of %s -->\n%s", before, name, text, name, after)
		if err := os.WriteFile(file, []byte(whole), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if string(now) != text {
		t.Errorf("%s: %s is stale, make update rewrites it. Got:\n%s\nwant:\n%s", file, name, now, text)
	}
}

// The documentation's table of roles is the program's.
func TestRolesInTheDocumentation(t *testing.T) {
	code := func(list []string, end string) []string {
		var all []string
		for _, s := range list {
			all = append(all, "`"+s+end+"`")
		}
		return all
	}
	var b strings.Builder
	b.WriteString("| role | by name | by recipe | does |\n|---|---|---|---|\n")
	for _, d := range topology.Roles() {
		names := code(d.Layers, "")
		if d.Names.Path != "" {
			names = append(names, "what `"+d.Names.Path+"` names")
		}
		does := d.Does
		if d.ByHand() {
			does += " (set up by hand so far)"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", d.Role, strings.Join(names, ", "), strings.Join(code(d.Recipes, "*"), ", "), does)
	}
	between(t, "../../docs/stack.md", "roles", b.String())
}

// The documentation's table of the sandbox's lines is the program's.
func TestSandboxInTheDocumentation(t *testing.T) {
	var b strings.Builder
	b.WriteString("| line | lift it for | what that costs |\n|---|---|---|\n")
	for _, l := range render.SandboxLines() {
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", l.Name, l.For, l.Cost)
	}
	between(t, "../../docs/security.md", "sandbox", b.String())
}

// The documentation's list of ports is that of the rows of services.
func TestPortsInTheDocumentation(t *testing.T) {
	c, diags := compileJSON(t, map[string]any{
		"instances":       map[string]any{"web1": map[string]any{"layers": []string{"lb", "plone_instances", "zeoserver"}, "address": "10.0.0.1", "cpus": 1}},
		"plone_instances": map[string]any{"app_name": "site"}, "plone_zeoserver": map[string]any{"app_name": "site"}, "plone_blobs": map[string]any{"blob_dir": "/srv/blobs"},
		"deploy":      map[string]any{"site": map[string]any{"scm": map[string]any{"repository": "r"}}},
		"nginx_plone": map[string]any{"status": []string{"10.0.0.0/8"}},
	})
	if c == nil {
		t.Fatal(mistakes(diags))
	}
	told := service.Host{Stack: c.Topology.Hosts[0].Stack, TLS: true, Balancers: 2, API: true}
	var rows []string
	for _, s := range service.All() {
		if s.Ports == nil {
			continue
		}
		for _, p := range s.Ports(told) {
			port := strconv.Itoa(p.Number)
			if p.Each {
				port += "+N"
			}
			if p.Path != "" {
				port += ", or `" + p.Path + "`"
			}
			rows = append(rows, fmt.Sprintf("| %s | %s | %s |\n", p.From, s.PortOf(p), port))
		}
	}
	slices.Sort(rows)
	between(t, "../../docs/hosts.md", "ports", "| who connects | to | TCP port |\n|---|---|---|\n"+strings.Join(rows, ""))
}

// libraries is the text of templates, one after the other.
func libraries(t *testing.T, pattern string) []byte {
	t.Helper()
	names, err := fs.Glob(templates.FS, pattern)
	if err != nil || len(names) == 0 {
		t.Fatal("no templates are called ", pattern)
	}
	var all []byte
	for _, name := range names {
		text, err := fs.ReadFile(templates.FS, name)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, text...)
	}
	return all
}

// Every verb of a host has a row in docs/hosts.md, and knows the options there.
func TestHostVerbsInTheDocumentation(t *testing.T) {
	text, err := os.ReadFile("../../docs/hosts.md")
	if err != nil {
		t.Fatal(err)
	}
	shared := libraries(t, "host/*.sh")
	options, word := regexp.MustCompile(`--[a-z-]+`), regexp.MustCompile(`[a-z]+`)
	told := map[string]bool{}
	for _, row := range regexp.MustCompile("(?m)^\\| (`[a-z].*?) \\| .*$").FindAllStringSubmatch(string(text), -1) {
		for _, span := range regexp.MustCompile("`([a-z][^`]*)`").FindAllStringSubmatch(row[1], -1) {
			verb := word.FindString(span[1])
			script, err := templates.FS.ReadFile("host/verbs/" + verb)
			if err != nil {
				t.Errorf("docs/hosts.md has a verb %s: %v", verb, err)
				continue
			}
			told[verb] = true
			for _, option := range options.FindAllString(span[1], -1) {
				if !bytes.Contains(append(script, shared...), []byte(option)) {
					t.Errorf("docs/hosts.md offers %s %s, which the script does not know", verb, option)
				}
			}
		}
	}
	verbs, err := fs.ReadDir(templates.FS, "host/verbs")
	if err != nil || len(verbs) == 0 {
		t.Fatal("no verbs: ", err)
	}
	for _, v := range verbs {
		if !told[v.Name()] {
			t.Errorf("docs/hosts.md does not tell of host %s", v.Name())
		}
	}
}
