package render

import (
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/plonec/plonec/internal/topology"
	"github.com/plonec/plonec/schema"
)

// TestBuildoutReads has buildout itself read the deploy.cfg of every example
// and every case of the cookbook, over the example buildout: each part that it
// names is there, and each client is what HAProxy takes it for.
func TestBuildoutReads(t *testing.T) {
	t.Parallel()
	var stacks []string
	for _, pattern := range []string{"../examples/*/stack.json", "../testdata/parity/*.stack.json"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		stacks = append(stacks, found...)
	}
	// Files that some of these stacks extend, and the example buildout has no need of.
	over := write(t, `{"deploy": {"plone_instances": {"buildout_extends": []}, "zeoserver": {"buildout_extends": []}}}`)
	folder := "../examples/buildout"
	texts, apps := map[string]buildoutText{}, map[string]*topology.App{}
	for _, stack := range stacks {
		topo := resolved(t, stack, over)
		for _, h := range topo.Hosts {
			for _, a := range h.Apps {
				if a.Config.SCM.Repository == "" {
					continue // the override made it
				}
				name := strings.Join([]string{stack, h.Name, a.Name}, " ")
				texts[name], apps[name] = buildoutText{Text: cfg(t, topo, h.Name, a.Name), Base: &folder}, a
			}
		}
	}
	if len(texts) < 10 {
		t.Fatalf("only %d files", len(texts))
	}
	for name, read := range readByBuildout(t, texts) {
		if read.Error != "" {
			t.Errorf("%s: %s\n%s", name, read.Error, texts[name].Text)
			continue
		}
		a, got := apps[name], read.Effective
		parts := strings.Fields(got["buildout"]["parts"])
		for _, part := range parts {
			if got[part]["recipe"] == "" {
				t.Errorf("%s: the part %s has no recipe", name, part)
			}
		}
		for _, c := range a.Clients {
			section := got[c.Name]
			want := map[string]string{
				"recipe":           "plone.recipe.zope2instance",
				"http-address":     c.Address + ":" + strconv.Itoa(c.Port),
				"http-fast-listen": "off",
				"threads":          strconv.Itoa(c.Threads),
			}
			if a.Storage.ZeoAddress != "" {
				want["zeo-client"], want["zeo-address"] = "on", a.Storage.ZeoAddress
				want["zeo-var"], want["zeo-client-client"] = "/release/var", "$(PLONEC_ZEO_CACHE)"
			}
			if a.Storage.RelStorage != nil {
				want["zeo-client"] = "off"
				if !strings.Contains(section["rel-storage"], "\ndsn dbname='plone' user='zodb' host=") {
					t.Errorf("%s: %s rel-storage is %q", name, c.Name, section["rel-storage"])
				}
			}
			for option, value := range want {
				if section[option] != value {
					t.Errorf("%s: [%s] %s is %q, want %q", name, c.Name, option, section[option], value)
				}
			}
			if !slices.Contains(parts, c.Name) {
				t.Errorf("%s: no part %s", name, c.Name)
			}
		}
		if a.Zeo != nil && a.Storage.ZeoAddress != "" {
			if want := a.Zeo.Address + ":8001"; got["zeoserver"]["zeo-address"] != want {
				t.Errorf("%s: zeo-address is %q, want %q", name, got["zeoserver"]["zeo-address"], want)
			}
		}
	}
}

// TestHostileValuesStay: whatever stands in a variable, buildout sees the same
// sections and options, and the variables that it takes are the ones meant.
func TestHostileValuesStay(t *testing.T) {
	values := []string{
		"x", "", " x", "x ", "a\tb", "[x]", "[x: 1/0]", "x = y", "#x", ";x", "a # b", "a\nb = c", "a\r[x]\ny = z", "a\x00", "a\u2028b", "a\u0085b",
		"${a:b}", "$${a:b}", "$$$${x", "$", "$$", "$(HOME)", "$HOME", "%(x)s", "<= a", "=> x", "\\", "'", "\"", "ä", "a\x1cb", "{", "}", "</environment>", "%import os",
	}
	topo := resolvedText(t, base)
	a := host(t, topo, "app1").Apps[0]
	plain := cfg(t, topo, "app1", "site")
	a.Config.Environment = map[string]schema.EnvValue{}
	for i, v := range values {
		a.Config.Environment[fmt.Sprintf("V%02d", i)] = schema.EnvValue{Text: v}
	}
	// The other artifacts have their own tests, and count on the schema more.
	hostile := written(t, "deploy.cfg.tmpl", deployCfg{a})
	read := readByBuildout(t, map[string]buildoutText{"plain": {Text: plain}, "hostile": {Text: hostile}})
	if e := read["hostile"].Error; e != "" {
		t.Fatalf("%s\n%s", e, hostile)
	}
	const option = "environment-vars +"
	lines := strings.Split(read["hostile"].Parsed["client1"][option], "\n")
	delete(read["hostile"].Parsed["client1"], option) // the plain one has none
	if got, want := fmt.Sprint(read["hostile"].Parsed), fmt.Sprint(read["plain"].Parsed); got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	unit := strings.Fields(strings.TrimPrefix(line(hostile, "# From the units' environment alone: "), "# From the units' environment alone: "))
	if len(lines)+len(unit) != len(values) {
		t.Errorf("%d variables in zope.conf and %d in the unit, of %d:\n%s", len(lines), len(unit), len(values), hostile)
	}
	for _, l := range lines {
		name, value, _ := strings.Cut(l, " ")
		var i int
		if _, err := fmt.Sscanf(name, "V%02d", &i); err != nil || strings.ReplaceAll(value, "$$", "$") != values[i] {
			t.Errorf("%q for %q", l, values[i])
		}
	}
}

// line is the first line of a text that begins so.
func line(text, start string) string {
	for _, l := range strings.Split(text, "\n") {
		if strings.HasPrefix(l, start) {
			return l
		}
	}
	return ""
}
