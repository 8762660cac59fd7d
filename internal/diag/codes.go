package diag

import "fmt"

// A Code describes one kind of diagnostic, for the printer and for
// plonec explain.
type Code struct {
	Severity Severity
	Title    string // a short sentence: what it means; lower case, no full stop
	Mend     string // how to mend it, a paragraph of whole sentences
}

// Codes is the catalogue of every diagnostic. Codes are stable: programs and
// people refer to them. Each stage has a table of its own in this package
// (codes_input.go and so on) and adds it with register.
var Codes = map[string]Code{}

// register adds the table of a stage to Codes. A code that two stages define
// is a mistake in the program.
func register(table map[string]Code) bool {
	for name, code := range table {
		if _, taken := Codes[name]; taken {
			panic(fmt.Sprintf("diag: the code %s is defined twice", name))
		}
		Codes[name] = code
	}
	return true
}
