package git

import (
	"errors"
	"strings"
)

// An Ignored is a path that git leaves out of a commit, and what says so.
type Ignored struct {
	Path    string // from the top
	Source  string // the file of patterns: from the top, or absolute
	Line    string // of it
	Pattern string
}

// Ignored gives those of some paths from the top that git would leave out,
// whether they are there or not. What is in the index stays in git whatever a
// pattern says, and is not among them.
func (r *Repository) Ignored(paths []string) ([]Ignored, error) {
	// This command takes no --literal-pathspecs; a path that begins with "./" has
	// no magic either.
	out, err := r.run(strings.NewReader("./"+strings.Join(paths, "\x00./")+"\x00"), "check-ignore", "check-ignore", "-z", "--verbose", "--stdin")
	var none *Error
	if errors.As(err, &none) && none.Status == 1 {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var list []Ignored
	fields := strings.Split(string(out), "\x00")
	for ; len(fields) > 4; fields = fields[4:] {
		if !strings.HasPrefix(fields[2], "!") { // one that takes it in again
			list = append(list, Ignored{Path: strings.TrimPrefix(fields[3], "./"), Source: fields[0], Line: fields[1], Pattern: fields[2]})
		}
	}
	return list, nil
}
