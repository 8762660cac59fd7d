package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Each sentence of docs/security.md names what holds it: every test, script and
// scenario there is one, and every row has one.
func TestSecurityDocument(t *testing.T) {
	text, err := os.ReadFile("../../docs/security.md")
	if err != nil {
		t.Fatal(err)
	}
	var sources strings.Builder
	err = filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && strings.HasPrefix(d.Name(), ".") && d.Name() != ".." && path != "../.." {
			return filepath.SkipDir
		}
		if err == nil && strings.HasSuffix(path, "_test.go") {
			var data []byte
			data, err = os.ReadFile(path)
			sources.Write(data)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	is := func(name string) bool {
		switch {
		case strings.HasSuffix(name, ".txtar"):
			_, err := os.Stat("../../testdata/script/" + name)
			return err == nil
		case strings.HasPrefix(name, `"`):
			return regexp.MustCompile(`(?:\t|scenario)\{` + regexp.QuoteMeta(name) + `, \w+, (?:core|long), `).MatchString(sources.String())
		}
		return strings.Contains(sources.String(), "func "+strings.Trim(name, "`")+"(")
	}
	named := regexp.MustCompile("`(?:Test|Fuzz)\\w+`|\\w+\\.txtar|\"[^\"]+\"")
	rows := 0
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(line, " | ")
		if !strings.HasPrefix(line, "| ") || len(cells) != 2 || strings.HasPrefix(line, "| |") {
			continue
		}
		rows++
		names := named.FindAllString(cells[1], -1)
		if len(names) == 0 && !strings.Contains(cells[1], "the same scenario") {
			t.Errorf("nothing holds: %s", cells[0])
		}
		for _, name := range names {
			if !is(name) {
				t.Errorf("there is no %s, which is to hold: %s", name, cells[0])
			}
		}
	}
	if rows < 30 {
		t.Errorf("only %d rows were found", rows)
	}
}
