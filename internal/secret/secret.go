// Package secret resolves the references to secrets that a manifest holds, on
// the machine that pushes, and renders the files that hosts get from them. No
// value is part of an error, of a warning, or of what fmt prints of anything
// here.
package secret

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/plonec/plonec/internal/tree"
)

// Hidden stands wherever a value would be shown.
const Hidden = "***"

// A Value is a secret. It is shown as Hidden by fmt, encoding/json and
// log/slog. fmt calls no method of what lies in an unexported field: there it
// finds an address.
type Value struct{ text *string }

// NewValue hides a text.
func NewValue(text string) Value { return Value{&text} }

// String implements fmt.Stringer.
func (v Value) String() string { return Hidden }

// Format implements fmt.Formatter, for every verb.
func (v Value) Format(s fmt.State, _ rune) { io.WriteString(s, Hidden) }

// MarshalText implements encoding.TextMarshaler.
func (v Value) MarshalText() ([]byte, error) { return []byte(Hidden), nil }

func (v Value) plain() string {
	if v.text == nil {
		return ""
	}
	return *v.text
}

// A File is a secret file of one host, with its values.
type File struct {
	tree.Secret
	values []Value // of Entries, in their order
}

// Bytes renders the file. existing is the file as it is on the host now, or its
// lines to the end of their salts, nil where there is none: a password is hashed
// with the salt that it has there. An error is a fault of plonec: Resolver.Files
// has checked what can go wrong.
func (f *File) Bytes(existing []byte) ([]byte, error) { return contents(f.Secret, f.values, existing) }

// A Place is where a manifest wants a value.
type Place struct{ Host, Path, Key, Source string }

// A Problem is what is wrong with a source or its value, for every place that
// wants it.
type Problem struct {
	Message string  // lower case, no full stop
	Remedy  string  // what to do about it
	Places  []Place // in the manifest's order; at least one
}

// shownPlaces is how many places String names.
const shownPlaces = 3

// String gives the message, the first places and the remedy in one line.
func (p Problem) String() string {
	var places []string
	for _, place := range p.Places[:min(len(p.Places), shownPlaces)] {
		places = append(places, strings.TrimSpace(place.Host+":"+place.Path+" "+place.Key))
	}
	if more := len(p.Places) - shownPlaces; more > 0 {
		places = append(places, fmt.Sprintf("%d more", more))
	}
	return p.Message + " (for " + strings.Join(places, ", ") + "): " + p.Remedy
}

// Problems is the error of Resolver.Files, one line for each.
type Problems []Problem

// Error implements error.
func (p Problems) Error() string {
	lines := make([]string, len(p))
	for i, problem := range p {
		lines[i] = problem.String()
	}
	return strings.Join(lines, "\n")
}

// add notes a fault for a place, together with others of the same words.
func (p *Problems) add(f *fault, place Place) {
	i := slices.IndexFunc(*p, func(q Problem) bool { return q.Message == f.message && q.Remedy == f.remedy })
	if i < 0 {
		i = len(*p)
		*p = append(*p, Problem{Message: f.message, Remedy: f.remedy})
	}
	if q := &(*p)[i]; !slices.Contains(q.Places, place) {
		q.Places = append(q.Places, place)
	}
}

// A fault is a Problem before it is known whom it concerns.
type fault struct{ message, remedy string }

// A Resolver resolves sources, each once as long as it succeeds. It may be used
// by several goroutines, and must not be copied.
type Resolver struct {
	// Dir is the folder of the stack: relative paths begin there, and commands
	// run there, unless their entry has a folder of its own.
	Dir string
	// Tree is the folder of the tree, in which an entry's own folder begins.
	Tree string
	// Stack gives the plain secret at a pointer such as /haproxy/stats_password.
	// The text of its error is shown, and must not hold the value.
	Stack func(pointer string) (string, error)
	// NoCommands leaves the files out that want a cmd: source.
	NoCommands bool
	// Getenv looks a variable up; os.LookupEnv where it is nil.
	Getenv func(name string) (string, bool)

	timeout time.Duration // of a command; commandTimeout where it is 0

	mu       sync.Mutex
	sources  map[reference]*once[found]
	ageFiles map[string]*once[ageFile]
	identity once[identities]
}

// A reference is a source, and the folder in which its paths begin.
type reference struct{ source, dir string }

func (ref reference) compare(other reference) int {
	return cmp.Or(strings.Compare(ref.source, other.source), strings.Compare(ref.dir, other.dir))
}

// reference is that of a manifest's entry.
func (r *Resolver) reference(e tree.SecretEntry) reference {
	switch {
	case e.Dir == "":
		return reference{e.Source, r.Dir}
	case filepath.IsAbs(e.Dir):
		return reference{e.Source, e.Dir}
	}
	return reference{e.Source, filepath.Join(r.Tree, filepath.FromSlash(e.Dir))}
}

// found is what a source gave.
type found struct {
	value    Value
	warnings []*fault
}

// once remembers what was made without a fault.
type once[T any] struct {
	mu   sync.Mutex
	done bool
	made T
}

func (o *once[T]) get(produce func() (T, *fault)) (T, *fault) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.done {
		return o.made, nil
	}
	made, f := produce()
	if f == nil {
		o.made, o.done = made, true
	}
	return made, f
}

// slot gives the once of a name, under the resolver's lock.
func slot[K comparable, T any](r *Resolver, slots *map[K]*once[T], name K) *once[T] {
	r.mu.Lock()
	defer r.mu.Unlock()
	if *slots == nil {
		*slots = map[K]*once[T]{}
	}
	if (*slots)[name] == nil {
		(*slots)[name] = &once[T]{}
	}
	return (*slots)[name]
}

// width is how many sources are resolved at a time.
const width = 8

// Files resolves every source that the secrets of the hosts need, nil for all
// hosts, but for those that NoCommands leaves out, and checks that each value can stand in its file. The files come in
// the manifest's order. Where anything is wrong there are no files, and the
// error is Problems with all of it, or the context's. Warnings come in either
// case.
func (r *Resolver) Files(ctx context.Context, secrets []tree.Secret, hosts map[string]bool) ([]File, []Problem, error) {
	type outcome struct {
		found
		fault *fault
	}
	var files []File
	outcomes := map[reference]*outcome{}
	var wg sync.WaitGroup
	free := make(chan struct{}, width)
	var problems, warnings Problems
	for _, s := range secrets {
		if hosts != nil && !hosts[s.Host] || r.NoCommands && slices.ContainsFunc(s.Entries, byCommand) {
			continue
		}
		if wrong := malformed(s); wrong != nil {
			problems.add(wrong, Place{Host: s.Host, Path: s.Path})
			continue
		}
		files = append(files, File{Secret: s})
		for _, e := range s.Entries {
			ref := r.reference(e)
			if outcomes[ref] != nil {
				continue
			}
			o := &outcome{}
			outcomes[ref] = o
			wg.Go(func() {
				free <- struct{}{}
				defer func() { <-free }()
				if ctx.Err() == nil {
					o.found, o.fault = r.resolve(ctx, ref)
				}
			})
		}
	}
	wg.Wait()
	if ctx.Err() != nil {
		return nil, nil, context.Cause(ctx)
	}
	for i := range files {
		f := &files[i]
		for _, e := range f.Entries {
			place := Place{f.Host, f.Path, e.Key, e.Source}
			o := outcomes[r.reference(e)]
			for _, w := range o.warnings {
				warnings.add(w, place)
			}
			wrong := o.fault
			if wrong == nil {
				wrong = unfit(f.Format, e.Source, o.value.plain())
			}
			if wrong != nil {
				problems.add(wrong, place)
			}
			f.values = append(f.values, o.value)
		}
	}
	if len(problems) > 0 {
		return nil, warnings, problems
	}
	return files, warnings, nil
}

func byCommand(e tree.SecretEntry) bool { return strings.HasPrefix(e.Source, "cmd:") }

// Redactor hides every value that was resolved so far.
func (r *Resolver) Redactor() *Redactor {
	r.mu.Lock()
	resolved := maps.Clone(r.sources)
	r.mu.Unlock()
	var values []Value
	for _, ref := range slices.SortedFunc(maps.Keys(resolved), reference.compare) {
		o := resolved[ref]
		o.mu.Lock()
		values = append(values, o.made.value)
		o.mu.Unlock()
	}
	return NewRedactor(values...)
}

func (r *Resolver) getenv(name string) (string, bool) {
	if r.Getenv != nil {
		return r.Getenv(name)
	}
	return os.LookupEnv(name)
}
