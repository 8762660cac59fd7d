package report

import "strconv"

// A Cause is one change of a stack: an attribute that is new, gone, or has
// another value.
type Cause struct {
	File   string `json:"file,omitempty"` // where it stands; of one that is gone, where it stood
	Line   int    `json:"line,omitempty"` // from 1; 0: not known
	Path   string `json:"attribute"`
	Change string `json:"change"`          // 2 → 3; no value of a secret
	Files  *int   `json:"files,omitempty"` // of hosts that would be the same without it; nil: the stack makes no sense without it

	Keys   []string       `json:"-"` // of the attribute
	Places map[Place]bool `json:"-"` // of the files; nil as Files
	Order  [3]int         `json:"-"` // for sorting: the file's place among the files, line, column
}

// A Place is a file on a host; the host is "*" for every one. What the manifest
// says of a host, such as how ssh gets there, is its ManifestName.
type Place struct{ Host, Path string }

// Where is the place of a cause: stack.json:18.
func (c *Cause) Where() string {
	if c.Line == 0 {
		return c.File
	}
	return c.File + ":" + strconv.Itoa(c.Line)
}

// A Setting is a value of --set and what it replaces.
type Setting struct {
	Attribute string `json:"attribute"`
	From      string `json:"from"`
	To        string `json:"to"`
	Place     string `json:"place,omitempty"` // where what it replaces stands
}
