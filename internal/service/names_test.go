package service_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/plonec/plonec/internal/service"
)

// ordinary are names of services that are words of other things too.
var ordinary = []string{"agent", "blobs", "client", "command", "snapshots", "supervisor"}

// What reads the table names none of its rows: not in code, in messages or in
// comments. A service's own files, those of its name, may name whom they write to.
func TestNobodyNamesAService(t *testing.T) {
	var names []string
	for _, s := range service.All() {
		if !slices.Contains(ordinary, s.Name) {
			names = append(names, s.Name)
		}
	}
	if len(names) < 5 {
		t.Fatalf("only %v are looked for", names)
	}
	named := regexp.MustCompile(`(?i)(^|[^a-z])(` + strings.Join(names, "|") + `)d?($|[^a-z])`)
	if !named.MatchString("the ZEO server") || !named.MatchString("haproxy.cfg") || !named.MatchString("service.Nginx.Unit") || named.MatchString("sonatype") {
		t.Fatal("the pattern does not find what it is for")
	}
	rows := regexp.MustCompile(`service\.(Agent|Client|Command|Blobs|Snapshots|Supervisor)\b`)
	own := regexp.MustCompile(`^(` + strings.Join(names, "|") + `)(\.|_)`)
	files := 0
	for _, dir := range []string{
		"cmd", "internal/compile", "internal/diff", "internal/graph", "internal/hosts", "internal/native", "internal/plan", "internal/remote",
		"internal/report", "internal/terminal", "internal/tree", "internal/trust", "templates/host",
	} {
		err := filepath.WalkDir(filepath.Join("../..", dir), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || strings.HasSuffix(path, "_test.go") || own.MatchString(d.Name()) || strings.Contains(path, "/testdata/") {
				return err
			}
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			files++
			for n, line := range strings.Split(string(text), "\n") {
				if named.MatchString(line) || rows.MatchString(line) && d.Name() != "format1.go" { // which reads what plonec 0.1 wrote
					t.Errorf("%s:%d names a service: %s", path, n+1, strings.TrimSpace(line))
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if files < 100 {
		t.Errorf("only %d files were read", files)
	}
}
