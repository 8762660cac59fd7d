package project

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
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
