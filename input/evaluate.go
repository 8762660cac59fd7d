package input

import (
	"slices"
	"strings"
)

// evaluate runs the program of one Jsonnet file, or of all CUE files.
func (l *loader) evaluate(sources []source) *Node {
	l.failed = true
	return nil
}

// imported returns the files that programs read, sorted by path.
func (l *loader) imported() []Read {
	var reads []Read
	for _, r := range l.imports {
		if !slices.ContainsFunc(l.named, func(n Read) bool { return n.Path == r.Path }) {
			reads = append(reads, r)
		}
	}
	slices.SortFunc(reads, func(a, b Read) int { return strings.Compare(a.Path, b.Path) })
	return reads
}

// RunChild evaluates a program and ends the process where the process was
// started for that, and returns at once elsewhere. It must be the first call
// of main and of TestMain.
func RunChild() {}
