package compile

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/plonec/plonec/internal/diag"
	"github.com/plonec/plonec/internal/tree"
	"github.com/plonec/plonec/schema"
)

// tellingLength is how long a plain secret has to be, in bytes, for its
// presence somewhere else to say something.
const tellingLength = 8

// secretArguments refuses Jsonnet arguments that hold a secret, since the
// manifest records them.
func secretArguments(o *Options, secrets []schema.PlainSecret) diag.List {
	var list diag.List
	for _, arguments := range []struct {
		flag   string
		values map[string]string
	}{{"--ext-str", o.ExtStr}, {"--tla-str", o.TLAStr}} {
		for _, s := range secrets {
			for _, name := range slices.Sorted(maps.Keys(arguments.values)) {
				value := arguments.values[name]
				if value == s.Value || len(s.Value) >= tellingLength && strings.Contains(value, s.Value) ||
					len(value) >= tellingLength/2 && strings.Contains(s.Value, value) {
					list.Add(diag.Diagnostic{
						Code: "secret-argument", Span: s.Span, Path: path(s),
						Message: fmt.Sprintf("its value comes from %s %s, which the manifest records", arguments.flag, name),
						Remedy:  `make it a reference in the stack: {"$secret": "env:NAME"}`,
					})
				}
			}
		}
	}
	return list
}

// argumentsInTree warns of Jsonnet arguments that look like secrets, since the
// manifest records them whatever the stack makes of them.
func argumentsInTree(o *Options) diag.List {
	var list diag.List
	for _, arguments := range []struct {
		flag   string
		values map[string]string
	}{{"--ext-str", o.ExtStr}, {"--tla-str", o.TLAStr}} {
		for _, name := range slices.Sorted(maps.Keys(arguments.values)) {
			if schema.LooksSecret(name, arguments.values[name]) {
				list.Add(diag.Diagnostic{Code: "secret-in-text",
					Message: arguments.flag + " " + name + " looks like a secret, and goes into the manifest and into git as it is",
					Remedy:  `write a reference into the stack: {"$secret": "env:NAME"}`})
			}
		}
	}
	return list
}

// A finder is the last line of defence: a secret that stands in the stack
// in plain may stand there twice, once where it is known to be one and once in
// a text that is written out.
type finder struct {
	secrets []schema.PlainSecret // that are long enough to tell
	texts   [][]byte             // their values

	mu    sync.Mutex
	first []tree.File // of each secret: the first file that would hold it
}

func newFinder(secrets []schema.PlainSecret) *finder {
	f := &finder{}
	for _, s := range secrets {
		if len(s.Value) >= tellingLength {
			f.secrets, f.texts = append(f.secrets, s), append(f.texts, []byte(s.Value))
		}
	}
	f.first = make([]tree.File, len(f.secrets))
	return f
}

// before looks at each file before it is put.
func (f *finder) before(put tree.Put) tree.Put {
	return func(file tree.File, content []byte) error {
		clean := true
		for i, text := range f.texts {
			if bytes.Contains(content, text) {
				clean = false
				f.found(i, file)
			}
		}
		if !clean || put == nil {
			return nil
		}
		return put(file, content)
	}
}

func (f *finder) found(secret int, file tree.File) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if was := f.first[secret]; was.Path == "" || cmp.Or(strings.Compare(file.Host, was.Host), strings.Compare(file.Path, was.Path)) < 0 {
		f.first[secret] = file
	}
}

func (f *finder) diags() diag.List {
	var list diag.List
	for i, file := range f.first {
		if file.Path != "" {
			list.Add(inTree(f.secrets[i], file.Rel()+" would hold"))
		}
	}
	return list
}

// InTexts looks for plain secrets in texts that are shown elsewhere than in the tree; where says
// what shows them, in words: the picture would show.
func InTexts(texts []string, where string, secrets []schema.PlainSecret) diag.List {
	var list diag.List
	for _, s := range secrets {
		if len(s.Value) >= tellingLength && slices.ContainsFunc(texts, func(text string) bool { return strings.Contains(text, s.Value) }) {
			list.Add(inTree(s, where))
		}
	}
	return list
}

func inTree(s schema.PlainSecret, where string) diag.Diagnostic {
	return diag.Diagnostic{
		Code: "secret-in-tree", Span: s.Span, Path: path(s),
		Message: "its value also appears in a text that " + where,
		Remedy:  "take it out there, or give this one by reference",
	}
}

// path is a JSON pointer as diagnostics write paths.
func path(s schema.PlainSecret) string {
	return strings.ReplaceAll(strings.TrimPrefix(s.Pointer, "/"), "/", ".")
}
