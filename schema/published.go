package schema

import (
	"cmp"
	"io/fs"
	"slices"
	"strings"
)

// rank is what stands first and last in the published file.
var rank = map[string]int{"stack.cue": -1, "types.cue": 1}

// CUE is the schema in CUE as one file, to lie in a module of the user's: of
// the package schema, constraints without defaults, and #Stack for a whole
// stack. What is an attribute in it (@default and so on) is for readers; CUE
// makes nothing of it.
func CUE() []byte {
	var b strings.Builder
	b.WriteString("// The attributes of a plonec stack; plonec schema --format cue wrote it.\n" +
		"// https://github.com/plonec/plonec\npackage schema\n\nimport \"strings\"\n")
	names, _ := fs.Glob(sources, "*.cue") // the pattern is good
	slices.SortStableFunc(names, func(a, b string) int { return cmp.Compare(rank[a], rank[b]) })
	for _, name := range names {
		text, _ := fs.ReadFile(sources, name) // it is part of the program
		for line := range strings.Lines(string(text)) {
			if !strings.HasPrefix(line, "package ") && !strings.HasPrefix(line, "import ") {
				b.WriteString(line)
			}
		}
	}
	return []byte(strings.ReplaceAll(b.String(), "\n\n\n", "\n\n"))
}
