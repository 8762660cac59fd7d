package diff

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/plonec/plonec/internal/tree"
	"github.com/plonec/plonec/internal/trust"
	"github.com/plonec/plonec/internal/words"
)

// The manifest and what is common to all hosts are folded in a review, and so what only
// they say is said in words: from where secrets come, whose files are, and by which
// keys hosts are known.

// permissions says which files have another owner, mode or form, and which secrets come
// from elsewhere.
func permissions(before, after *tree.Manifest) []string {
	type row struct {
		text         string
		hosts, paths []string
	}
	var rows []*row
	add := func(host, path, text string) {
		if host == "*" {
			host = "every host"
		}
		for _, r := range rows {
			switch {
			case r.text == text && slices.Equal(r.paths, []string{path}):
				r.hosts = append(r.hosts, host)
				return
			case r.text == text && slices.Equal(r.hosts, []string{host}):
				r.paths = append(r.paths, path)
				return
			}
		}
		rows = append(rows, &row{text, []string{host}, []string{path}})
	}
	known := map[string]bool{}
	for _, s := range before.Secrets {
		for _, e := range s.Entries {
			known[e.From()] = true
		}
	}
	for _, d := range tree.Differences(before, after) {
		switch {
		case d.Path == "" || d.From == "" || d.To == "":
		case d.What == "owner" || d.What == "mode" || d.What == "format" || d.Source():
			add(d.Host, d.Path, fmt.Sprintf("%s is %s, no longer %s", d.What, d.To, d.From))
			known[d.To] = known[d.To] || d.Source()
		}
	}
	for _, s := range after.Secrets {
		for _, e := range s.Entries {
			if from := e.From(); !known[from] {
				add(s.Host, s.Path, strings.TrimSpace(e.Key+" comes from "+from)+", from which nothing came before")
			}
		}
	}
	var list []string
	for _, r := range rows {
		paths := r.paths
		if more := len(paths) - 5; more > 0 {
			paths = append(paths[:5:5], fmt.Sprintf("%d more", more))
		}
		list = append(list, fmt.Sprintf("%s: %s: %s", strings.Join(words.Runs(r.hosts), " "), strings.Join(paths, ", "), r.text))
	}
	return list
}

// otherKeys says of which hosts the same known_hosts of the repository holds other keys.
// dir is the folder of the later tree, with which that file goes.
func otherKeys(before *Side, after []tree.Host, dir string) ([]string, error) {
	now, err := trust.LocationOf(dir)
	if err != nil {
		return nil, err
	}
	then, err := trust.LocationOf(before.Disk.Dir)
	if err != nil {
		return nil, err
	}
	if rel, err := filepath.Rel(before.prefix, before.Disk.Dir); before.prefix != "" && err == nil && filepath.IsLocal(rel) {
		// A revision's files lie in a folder of their own, at the paths that they have here.
		then = trust.Location{Top: filepath.Join(before.prefix, now.Top), Tree: now.Tree}
	}
	return trust.OtherKeys(before.Disk.Manifest.Hosts, then, after, now), nil
}
