package main

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/plonec/plonec/internal/git"
	"github.com/plonec/plonec/internal/words"
)

// refuseIgnored is an error where git would leave files of a tree out of a
// commit: what is reviewed and cloned would then lack them. It says which lines
// keep them. Outside of a git repository there is nothing to ask.
func refuseIgnored(dir string, names []string) error {
	repo, err := git.Around(dir)
	if err != nil || repo == nil {
		return err
	}
	return refuseIgnoredFiles(repo, dir, names)
}

func refuseIgnoredFiles(repo *git.Repository, dir string, names []string) error {
	at, _ := repo.Rel(dir)
	paths := make([]string, len(names))
	for i, name := range names {
		paths[i] = strings.TrimPrefix(at+"/"+name, "./")
	}
	ignored, err := repo.Ignored(paths)
	if err != nil || len(ignored) == 0 {
		return err
	}
	first := ignored[0]
	remedy, err := keeping(repo, at, first)
	if err != nil {
		return err
	}
	which := first.Path
	if more := len(ignored) - 1; more > 0 {
		which += fmt.Sprintf(" and %s", words.Count(more, "other file"))
	}
	return fmt.Errorf("git leaves %s out of commits (%s:%s: %s), and hosts get only what is committed: %s",
		which, first.Source, first.Line, first.Pattern, remedy)
}

// keeping says how git comes to keep a tree of which it ignores a file. A
// pattern takes a file in again only where no folder above it is left out, and
// the last pattern counts, those of an inner folder last.
func keeping(repo *git.Repository, at string, first git.Ignored) (string, error) {
	takeOut := fmt.Sprintf("take that line out of %s", first.Source)
	parent := filepath.Dir(at)
	if at == "." || filepath.Dir(first.Source) == at || strings.HasPrefix(first.Source, at+"/") {
		return takeOut, nil
	}
	if parent != "." {
		above, err := repo.Ignored([]string{parent + "/"})
		if err != nil || len(above) > 0 {
			return takeOut + ", or build into another folder", err
		}
	}
	where := git.FromHere(filepath.Join(repo.Top, filepath.FromSlash(parent), ".gitignore"))
	add := "printf '%s\\n' ''" // the last line may have no end
	for _, line := range keepLines(at) {
		add += " " + shellQuote(line)
	}
	return fmt.Sprintf("include the tree again at the end of %s\n  %s >> %s", where, add, shellQuote(where)), nil
}

// keepLines are the patterns that keep a tree, in the folder that holds it.
func keepLines(at string) []string {
	name := patternEscape.Replace(filepath.Base(at))
	return []string{"!/" + name + "/", "!/" + name + "/**"}
}

// shellQuote makes a text one word of a shell; a plain one stays as it is.
func shellQuote(text string) string {
	if plainPath.MatchString(text) || text == ".gitignore" {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}

var patternEscape = strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`, " ", `\ `)
