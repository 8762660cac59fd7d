package main

import (
	"errors"
	"fmt"
	"regexp"

	"github.com/plonec/plonec/internal/tree"
	"github.com/plonec/plonec/internal/trust"
)

// openTree reads a tree to work with it: fresh where it must not be older than its
// stack.
func openTree(dir string, fresh bool) (*tree.Disk, error) {
	open := tree.OpenOld
	if fresh {
		open = tree.Open
	}
	disk, err := open(dir, release)
	var other *tree.OtherRelease
	if errors.As(err, &other) {
		return nil, fmt.Errorf("%w\n  to keep using that one: %s\n  to switch to this one: run plonec build, review what changes, and commit it", err, installing(other.Plonec))
	}
	if err != nil {
		return nil, err
	}
	return disk, trust.BelieveScripts(disk, release)
}

var releaseNumber = regexp.MustCompile(`^[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?$`)

// installing says how to install the release that a manifest names.
func installing(number string) string {
	if len(number) > 40 || !releaseNumber.MatchString(number) {
		return "the manifest names no release of plonec"
	}
	return "run the install lines of plonec's README with PLONEC_RELEASE=" + number +
		", or go install ./cmd/plonec in a checkout of that release"
}
