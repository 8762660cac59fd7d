// Package diff finds out what a change of a stack does: which of its lines changed,
// which files of which hosts are others for it, and what else there is to look at. What
// it found is said by package report.
package diff

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/plonec/plonec/internal/compile"
	"github.com/plonec/plonec/internal/plan"
	"github.com/plonec/plonec/internal/report"
	"github.com/plonec/plonec/internal/tree"
)

// NotOfTheStack says that a tree on disk is not what a stack gives; empty where it
// is, and where there is none.
func NotOfTheStack(built *compile.Built, dir string) (string, error) {
	if _, err := os.Stat(filepath.Join(dir, tree.ManifestName)); err != nil {
		return "", nil
	}
	stage := tree.Against(dir)
	if _, _, err := built.Render(stage.Put); err != nil {
		return "", err
	}
	changes, err := stage.Finish(built.Tree)
	if err != nil || changes.None() {
		return "", err
	}
	command := "plonec build"
	if dir != "build" {
		command += " -o " + dir
	}
	return fmt.Sprintf("the tree in %s is not what this stack gives, and is not what is compared here: %s", dir, command), nil
}

// Compare works out what a change of a stack does. work is an empty folder, and given
// are the flags for the commands to run next.
func Compare(before *Side, after *compile.Built, o *compile.Options, work, given string) (*report.Diff, error) {
	r := &report.Diff{Format: report.DiffFormat, Before: before.Label, After: "the stack", Causes: []report.Cause{}, Look: []string{}, Later: []string{}, Unknown: before.unknown, Given: given}
	r.Plonec.After = o.Release
	disk, err := OnDisk(after, filepath.Join(work, "after"))
	if err != nil {
		return nil, err
	}
	if r.All, err = plan.Compare(before.Disk, disk); err != nil {
		return nil, err
	}
	r.Stack = r.All
	if before.Disk != nil {
		r.Plonec.Before = before.Disk.Manifest.Plonec
	}
	if before.Built != nil {
		r.Causes = causes(before, after, o)
		// What this plonec makes of the earlier stack tells the two reasons apart.
		if len(Unlike(before.Disk.Manifest, before.Built.Tree.Manifest)) > 0 {
			rebuilt, err := OnDisk(before.Built, filepath.Join(work, "rebuilt"))
			if err != nil {
				return nil, err
			}
			if r.Plain, err = plan.Compare(before.Disk, rebuilt); err != nil {
				return nil, err
			}
			if r.Stack, err = plan.Compare(rebuilt, disk); err != nil {
				return nil, err
			}
		}
		r.Look = append(r.Look, report.ChangesOfTopology(before.Built.Topology, after.Topology)...)
		r.All.Outage = report.Outages(r.All.Outage, before.Built.Topology, after.Topology)
	}
	if before.Disk != nil {
		faults, err := before.Disk.Faults()
		if err != nil {
			return nil, err
		}
		for _, f := range faults {
			r.Look = append(r.Look, before.Label+": "+f+"; what is said here begins from the manifest")
		}
		r.Look = append(r.Look, report.PlainSecrets(r.Causes, disk.Manifest)...)
		r.Look = append(r.Look, report.ChangesOfAddresses(before.Disk.Manifest.Hosts, disk.Manifest.Hosts)...)
		keys, err := otherKeys(before, disk.Manifest.Hosts, o.Tree)
		if err != nil {
			return nil, err
		}
		r.Look = append(r.Look, keys...)
		r.Look = append(r.Look, permissions(before.Disk.Manifest, disk.Manifest)...)
	}
	for _, h := range r.All.Hosts {
		for _, c := range h.Files {
			if c.Secret && strings.Contains(c.Diff, "PLONEC_DSN from") {
				r.Look = append(r.Look, h.Host+": the address of the database comes from another place: plonec plan shows whether the database moves")
			}
		}
	}
	r.NoteLater(after.Topology)
	return r, nil
}
