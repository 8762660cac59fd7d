package project

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestProposals holds what init proposes for each structure of a project against its stack
// and its report. check takes the stack, and what the report has of the project is what
// check says with it.
func TestProposals(t *testing.T) {
	entries, err := os.ReadDir("../../testdata/projects")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir("../../testdata/projects")
	for _, e := range entries {
		if !e.IsDir() {
			continue
		}
		t.Run(e.Name(), func(t *testing.T) {
			t.Parallel()
			d, err := Propose(e.Name()+"/project", "")
			if strings.HasPrefix(e.Name(), "uv") {
				if err == nil || !strings.Contains(err.Error(), "has no buildout") {
					t.Errorf("a project without a buildout: %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if len(d.Left) > 0 {
				t.Errorf("check refuses the stack: %v", d.Left)
			}
			for name, got := range map[string]string{"proposed.cue": string(d.Stack), "proposed.md": d.Markdown()} {
				name = filepath.Join(e.Name(), name)
				if *update {
					if err := os.WriteFile(name, []byte(got), 0o644); err != nil {
						t.Fatal(err)
					}
				}
				want, err := os.ReadFile(name)
				if err != nil || got != string(want) {
					t.Errorf("%s: %v: got\n%s", name, err, got)
				}
			}
			mends := regexp.MustCompile(`deploy\.site\.(parts|scm\.ssh_key|python_major_version|buildout_parts_to_include)`)
			for _, f := range d.Report.Decide { // what check says of the project with that stack
				if strings.HasPrefix(f.Path, e.Name()+"/project/") && mends.MatchString(f.Remedy) {
					t.Errorf("an attribute would mend it: %+v", f)
				}
			}
		})
	}
}

// A section that buildout cannot read is read all the same, however often it refers to itself.
func TestProposalOfRepeatedReferences(t *testing.T) {
	t.Parallel()
	text := "[buildout]\nparts = client1\n\n[client1]\nrecipe = plone.recipe.zope2instance\nthreads = " + strings.Repeat("${client1:threads}", 3) + "\n"
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "buildout.cfg"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		_, err := Propose(dir, "")
		done <- err
	}()
	select {
	case err := <-done:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(time.Minute):
		t.Fatal("a project is not read within a minute")
	}
}

func TestKnown(t *testing.T) {
	own := func(values ...string) map[string]option {
		all := map[string]option{}
		for i := 0; i < len(values); i += 2 {
			all[values[i]] = option{Value: values[i+1]}
		}
		return all
	}
	sections := map[string]map[string]option{
		"a":     own("<", "macro", "own", "1", "plain", "${b:x} ${:own}", "root", "${buildout:directory}/var", "none", "${b:y}", "circle", "<${b:back}${b:back}>", "inherited", "${:taken}"),
		"b":     own("x", "2", "back", "(${a:circle})"),
		"macro": own("taken", "of ${:own}", "own", "another"),
	}
	const chain = 50_000 // each refers to the next
	for i := range chain {
		sections[fmt.Sprint("c", i)] = own("x", fmt.Sprintf("${c%d:x}", i+1))
		if i < 40 {
			sections[fmt.Sprint("d", i)] = own("x", fmt.Sprintf("${d%d:x}${d%[1]d:x}", i+1))
		}
	}
	for i := range 40 { // macros that are named twice
		sections[fmt.Sprint("m", i)] = own("<", fmt.Sprintf("m%d\nm%[1]d", i+1))
	}
	sections[fmt.Sprint("c", chain)], sections["d40"] = own("x", "end"), own("x", "end")
	for _, c := range [][3]string{
		{"a", "plain", "2 1"}, {"a", "root", folder + "/var"}, {"a", "none", "${b:y}"}, {"a", "inherited", "of 1"}, {"a", "missing", ""},
		{"a", "circle", "<()()>"}, {"b", "back", "(<>)"}, {"c0", "x", "end"}, {"d30", "x", strings.Repeat("end", 1024)}, {"d0", "x", ""}, {"m0", "x", ""},
	} {
		v := &view{read: &read{Own: sections}, texts: map[[2]string]string{}, room: maxKnown}
		for range 2 { // the second time from memory
			if got := v.known(c[0], c[1]); got != c[2] {
				t.Errorf("%s:%s is %.100q, not %.100q", c[0], c[1], got, c[2])
			}
		}
	}
}
