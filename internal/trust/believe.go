// Package trust judges what a tree says, which comes from whoever wrote its branch:
// whether it is what its stack gives, and whether its hosts are where the branch that is
// deployed from has them.
package trust

import (
	"fmt"
	"strings"

	"github.com/plonec/plonec/internal/compile"
	"github.com/plonec/plonec/internal/tree"
	"github.com/plonec/plonec/render"
)

// A tree comes from whoever wrote its branch, and so does its manifest: where the
// values of secrets come from, who owns a file, which script root runs. What a
// build would not write is not believed. The bytes that go to hosts are the tree's
// all the same: what is compiled here is compared, and thrown away.

// Believe compiles the stack of a tree in memory and is an error, which names the
// first differences, where the tree is not byte for byte what comes out.
func Believe(disk *tree.Disk, release string) error {
	built, diags, err := compile.Stack(nil, &compile.Options{Tree: disk.Dir, Release: release})
	if err != nil {
		return err
	}
	if built == nil {
		return fmt.Errorf("%s cannot be compared with its stack, which does not compile (%s): plonec check says more", disk.Dir, diags.Summary(""))
	}
	want, err := built.Tree.Manifest.Bytes()
	if err != nil {
		return err
	}
	var wrong []string
	if tree.Sum(want) != disk.Sum {
		for _, d := range tree.Differences(built.Tree.Manifest, disk.Manifest) {
			wrong = append(wrong, d.Refusal())
		}
		if len(wrong) == 0 {
			wrong = []string{tree.ManifestName + ": it says the same in other bytes than plonec writes, or something twice"}
		}
	}
	readme, err := disk.Read("README.md")
	if err != nil || tree.Sum(readme) != tree.Sum(built.Tree.Readme) {
		wrong = append(wrong, "README.md: its content differs")
	}
	return notBuilt(disk.Dir, release, wrong)
}

// BelieveScripts is the same for what is equal on every host alone: a host's root runs
// it, so every command that connects asks for it, also where the tree is older than
// its stack. No stack is compiled.
func BelieveScripts(disk *tree.Disk, release string) error {
	common, err := render.Common()
	if err != nil {
		return err
	}
	var is tree.Manifest
	for _, file := range disk.Manifest.Files {
		if file.Host == "*" {
			is.Files = append(is.Files, file)
		}
	}
	var wrong []string
	for _, d := range tree.Differences(&tree.Manifest{Files: tree.Common(common)}, &is) {
		wrong = append(wrong, d.Refusal())
	}
	return notBuilt(disk.Dir, release, wrong)
}

// notBuilt is the error of a tree that plonec did not write as it is.
func notBuilt(dir, release string, wrong []string) error {
	const most = 10
	if len(wrong) == 0 {
		return nil
	}
	more := ""
	if n := len(wrong) - most; n > 0 {
		wrong, more = wrong[:most], fmt.Sprintf("\n  and %d more", n)
	}
	command := "plonec build"
	if dir != "build" {
		command += " -o " + dir
	}
	return fmt.Errorf("%s is not what plonec %s makes of its stack: run %s, and review what that changes before anything goes to hosts\n  %s%s",
		dir, release, command, strings.Join(wrong, "\n  "), more)
}
