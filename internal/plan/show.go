package plan

import (
	"bytes"
	"fmt"
	"slices"
	"unicode/utf8"

	"github.com/rogpeppe/go-internal/diff"
)

// A FileChange is a Change and what of it can be shown.
type FileChange struct {
	Change
	Mode    string `json:"mode,omitempty"`    // what it is, and what it becomes, where that alone changes
	Diff    string `json:"diff,omitempty"`    // hunks of a unified diff, from what is there to the tree's
	Unshown string `json:"unshown,omitempty"` // why there is none for a changed file
	Differs int    `json:"differs,omitempty"` // lines that somebody added or took away by hand; 0: not known
}

// largest is the size in bytes up to which a file's differences are shown; the
// host gives none of a larger one.
const largest = 1 << 20

// shown adds to a change what can be shown of it.
func (m *Host) shown(c Change, diffs bool) FileChange {
	fc := FileChange{Change: c}
	at := slices.IndexFunc(m.Want, func(w Wanted) bool { return w.Path == c.Path })
	now := m.Seen.Files[c.Path]
	switch {
	case c.Kind == ModeOnly:
		fc.Mode = fmt.Sprintf("%s %s → %s %s", now.Mode, now.Owner, m.Want[at].Mode, m.Want[at].Owner)
	case c.Kind != Changed || !diffs:
	case c.Secret:
		fc.Unshown = "secret"
	case c.Foreign:
		fc.Unshown = "the existing file is not plonec's" // and may hold a secret that nobody here knows
	case c.Drift:
		fc.Unshown, fc.Differs = "changed by hand", m.Seen.Differs[c.Path] // and so may this
	default:
		before, there := m.Seen.Texts[c.Path]
		after := m.text(c.Path)
		switch {
		case !there || len(after) > largest:
			fc.Unshown = "large"
		case binary(before) || binary(after):
			fc.Unshown = "binary"
		default:
			fc.Diff = m.tree.Redactor.Redact(hunks(c.Path, before, after))
		}
	}
	return fc
}

func binary(text []byte) bool { return bytes.IndexByte(text, 0) >= 0 || !utf8.Valid(text) }

// hunks is a unified diff without its head.
func hunks(path string, before, after []byte) string {
	text := diff.Diff(path, before, path, after)
	for range 3 {
		_, text, _ = bytes.Cut(text, []byte("\n"))
	}
	return string(text)
}

// text is the content of a file that the host should have; nil where it should
// have none, or its values are not known here.
func (m *Host) text(path string) []byte {
	at := slices.IndexFunc(m.Want, func(w Wanted) bool { return w.Path == path })
	if at < 0 {
		return nil
	}
	return m.content(m.Want[at])
}

func (m *Host) content(w Wanted) []byte {
	if w.Secret() {
		return w.Content
	}
	// The tree may be a stranger's, of which nothing but the manifest was judged: its
	// files are read as the tree's, never through a link to another's.
	text, _ := m.tree.Disk.Read(w.Rel)
	return text
}
