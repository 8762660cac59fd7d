package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/plonec/plonec/native"
)

// printCheckers says what each program said, in one line where it is good.
// It returns how many hosts' files were refused.
func printCheckers(w io.Writer, results []native.Result) int {
	refused := 0
	var missing, good []string
	for _, r := range results {
		switch r.Outcome {
		case native.Good:
			good = append(good, r.Program)
		case native.Missing:
			missing = append(missing, r.Program)
		default:
			refused++
			fmt.Fprintf(w, "%s: %s refuses it:\n    %s\n", r.Host, r.Program, strings.ReplaceAll(r.Output, "\n", "\n    "))
		}
	}
	for _, list := range []struct {
		outcome  string
		programs []string
	}{{"accepted by", good}, {"not installed here, so not asked:", missing}} {
		slices.Sort(list.programs)
		if programs := slices.Compact(list.programs); len(programs) > 0 {
			fmt.Fprintf(w, "%s %s\n", list.outcome, strings.Join(programs, ", "))
		}
	}
	return refused
}
