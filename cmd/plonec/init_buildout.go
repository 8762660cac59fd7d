package main

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"

	"github.com/plonec/plonec/internal/git"
	"github.com/plonec/plonec/internal/project"
	"github.com/plonec/plonec/internal/words"
)

// initFromBuildout writes a stack that suits a project: the body of plonec init --buildout
// FROM [DIR].
func initFromBuildout(out *reporter, from string, args []string) error {
	if info, err := os.Stat(from); err != nil || !info.IsDir() {
		return fmt.Errorf("--buildout: %s is not a folder: name a checkout of the project's repository", from)
	}
	d, err := project.Propose(from, originOf(from))
	if err != nil {
		return withRemedy(err)
	}
	return writeDraft(out, cmp.Or(append(args, ".")[0], "."), d, project.ReportFile, words.Count(len(d.Report.Decide), "line")+" of what is left to decide")
}

// originOf is where a folder is a checkout from; empty: that is not known, or it is not the
// top of one.
func originOf(dir string) string {
	repo, err := git.Around(dir)
	if err != nil || repo == nil {
		return ""
	}
	abs, err := filepath.Abs(dir)
	if err == nil {
		abs, err = git.Real(abs)
	}
	if err != nil || abs != repo.Top {
		return ""
	}
	return repo.Ask("config", "--get", "remote.origin.url")
}
