package diag

// A Code describes one kind of diagnostic, for the printer and for
// plonec explain.
type Code struct {
	Severity Severity
	Title    string // a short sentence: what it means
	Mend     string // how to mend it, a paragraph
}

// Codes is the catalogue of every diagnostic. Codes are stable: programs and
// people refer to them.
var Codes = map[string]Code{
	"syntax": {Error, "the file cannot be read as what its name says", "Mend the text at the place shown."},
}
