package plan

// A Wanted file is one that a host should have.
type Wanted struct {
	Path, Sum, Mode, Owner string
	Effects                []string
	Rel                    string // where it lies in the tree, relative to it; empty: a secret
	Format, Sources        string // of a secret; see sourcesSum
	Content                []byte // of a secret; nil: its values are not known here
}

// Secret tells whether the file holds secrets: it is not in the tree.
func (w Wanted) Secret() bool { return w.Rel == "" }
