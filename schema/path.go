package schema

import (
	"strconv"
	"strings"

	"github.com/plonec/plonec/internal/diag"
)

// A key is one word of a path, and where it stands in it.
type key struct {
	text       string
	start, end int // byte offsets
}

// splitPath takes a path apart as diagnostics write it: keys between points,
// and in double quotes those that are no plain words. rest is what follows the
// path, from the first = on; ok is false where a key is empty or its quote is
// not closed.
func splitPath(path string) (keys []key, rest string, ok bool) {
	for at := 0; ; {
		k := key{start: at}
		if quoted, err := strconv.QuotedPrefix(path[at:]); err == nil && quoted[0] == '"' {
			k.text, _ = strconv.Unquote(quoted)
			k.end = at + len(quoted)
		} else {
			k.end = at + len(path[at:])
			if i := strings.IndexAny(path[at:], ".=\""); i >= 0 {
				k.end = at + i
			}
			k.text = path[at:k.end]
		}
		if k.text == "" {
			return keys, path[at:], false
		}
		keys = append(keys, k)
		rest = path[k.end:]
		switch {
		case rest == "" || rest[0] == '=':
			return keys, rest, true
		case rest[0] != '.':
			return keys, rest, false
		}
		at = k.end + 1
	}
}

// Lookup finds an attribute by its path: deploy.<app>.scm.repository, or with
// a name in the place of <app>. Aliases are found too.
func Lookup(path string) *Attr {
	keys, rest, ok := splitPath(path)
	if !ok || rest != "" {
		return nil
	}
	a := Root()
	for _, k := range keys {
		if a = a.at(k.text); a == nil {
			return nil
		}
	}
	return a
}

// at is the attribute of a key below this one, in the way that paths are
// written: what a list holds is found by its own keys or with [] at the end.
func (a *Attr) at(key string) *Attr {
	if a.Layered {
		a = Root()
	}
	name, list := strings.CutSuffix(key, "[]")
	below := a.Field(name)
	if below == nil && a.Item != nil {
		below = a.Item.Field(name)
	}
	if below != nil && list {
		below = below.Item
	}
	return below
}

// JoinKeys writes a path as diagnostics do.
func JoinKeys(keys []string) string {
	path := ""
	for _, key := range keys {
		path = diag.JoinKey(path, key)
	}
	return path
}
