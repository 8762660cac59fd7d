package tree

import (
	"bytes"
	"errors"
	"fmt"
	"path"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/plonec/plonec/internal/topology"
	"github.com/plonec/plonec/render"
)

// A Tree is what a build makes, less the content of the files of hosts.
type Tree struct {
	Manifest *Manifest
	Readme   []byte
}

// A Put takes a file as it is rendered. Several goroutines call it at once; content is
// good until it returns.
type Put func(f File, content []byte) error

// maxSize bounds a tree on disk, in bytes; a variable for tests.
var maxSize int64 = 1 << 30

var errTooLarge = errors.New("the tree would be larger than 1 GiB, or a file of it than 32 MiB: split the stack; many front ends that each list many clients make it so")

// Render renders a topology host by host and gives each file to put, which may be nil,
// with its sum. No content is kept. release is plonec's own version. An error is that
// of put, or a fault of plonec, not of the stack.
func Render(t *topology.Topology, inputs Inputs, release string, put Put) (*Manifest, error) {
	common, err := render.Common()
	if err != nil {
		return nil, err
	}
	var size atomic.Int64
	words := newInterner()
	take := func(host string, f render.File, list *[]File) error {
		if len(f.Content) > MaxFile || size.Add(int64(len(f.Content))) > maxSize {
			return errTooLarge
		}
		e := entry(host, f, words)
		if !safe(e) {
			return fmt.Errorf("%s: a path that would leave the tree: %q", host, e.Path)
		}
		*list = append(*list, e)
		if put == nil {
			return nil
		}
		return put(e, f.Content)
	}
	m := &Manifest{Format: Format, Plonec: release, Inputs: inputs}
	for _, f := range common {
		if err := take("*", f, &m.Files); err != nil {
			return nil, err
		}
	}
	setup := content(common, render.ScriptDir+"/verbs/setup")
	files := make([][]File, len(t.Hosts))
	m.Hosts = make([]Host, len(t.Hosts))
	if err := parallel(len(t.Hosts), func(i int) error {
		h := t.Hosts[i]
		var said []render.File // what the host is described with
		err := render.Each(h, func(f render.File) error {
			if strings.HasPrefix(f.Path, "/etc/plonec/") {
				kept := f
				kept.Content = bytes.Clone(f.Content)
				said = append(said, kept)
			}
			return take(h.Name, f, &files[i])
		})
		m.Hosts[i] = describe(h, inputs, said, setup)
		return err
	}); err != nil {
		return nil, err
	}
	m.Files = slices.Concat(append([][]File{m.Files}, files...)...)
	for _, h := range t.Hosts {
		m.Secrets = append(m.Secrets, secrets(h, inputs)...)
	}
	return m, nil
}

// access is how the host is reached; known_hosts is relative to the stack in a
// stack, and to the tree in a manifest.
func access(h *topology.Host, in Inputs) SSH {
	s := h.Stack.Plonec.SSH
	file := s.KnownHosts
	if file != "" && !path.IsAbs(file) && len(in.Stack) > 0 {
		file = path.Join(path.Dir(in.Stack[0]), file)
	}
	port := s.Port
	if port == 22 {
		port = 0
	}
	return SSH{User: s.User, Port: port, KnownHosts: file}
}

// dirOf is the folder of a file that was read, relative to the tree; empty for
// that of the first STACK, and for a file that is not known.
func (in Inputs) dirOf(file string) string {
	name, known := in.Names[file]
	if !known || len(in.Stack) > 0 && path.Dir(in.Stack[0]) == path.Dir(name) {
		return ""
	}
	return path.Dir(name)
}

func status(h *topology.Host) string {
	if h.Online {
		return "online"
	}
	return h.Status
}

// Common are the entries of the files that are the same on every host.
func Common(files []render.File) []File {
	words := newInterner()
	list := make([]File, len(files))
	for i, f := range files {
		list[i] = entry("*", f, words)
	}
	return list
}

func entry(host string, f render.File, words *interner) File {
	return File{
		Host: host, Path: words.word(f.Path), Sum: Sum(f.Content),
		Mode: words.word(fmt.Sprintf("%04o", f.Mode)), Owner: words.word(f.Owner), Effect: words.list(f.Effects),
	}
}

// An interner keeps one of each word and list that thousands of hosts have in common.
type interner struct {
	mu    sync.Mutex
	words map[string]string
	lists map[string][]string // by what they hold
}

func newInterner() *interner {
	return &interner{words: map[string]string{}, lists: map[string][]string{}}
}

func (n *interner) word(s string) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	kept, known := n.words[s]
	if !known {
		kept = s
		n.words[s] = s
	}
	return kept
}

func (n *interner) list(l []string) []string {
	key := strings.Join(l, "\x00")
	n.mu.Lock()
	defer n.mu.Unlock()
	kept, known := n.lists[key]
	if !known {
		kept = orEmpty(l)
		n.lists[key] = kept
	}
	return kept
}

func secrets(h *topology.Host, in Inputs) []Secret {
	var list []Secret
	for _, s := range render.Secrets(h) {
		entry := Secret{
			Host: h.Name, Path: s.Path, Mode: fmt.Sprintf("%04o", s.Mode), Owner: s.Owner,
			Effect: orEmpty(s.Effects), Format: s.Format, Entries: []SecretEntry{},
		}
		for _, e := range s.Entries {
			entry.Entries = append(entry.Entries, SecretEntry{Key: e.Key, Source: e.Source, Dir: in.dirOf(e.File)})
		}
		list = append(list, entry)
	}
	return list
}

// orEmpty keeps an empty list a list in JSON.
func orEmpty(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}

// parallel runs do for 0 to n-1 on every CPU and returns the error of the lowest index
// that has one; what comes after that is not begun. Neighbours go to one worker, since
// they are often in one folder.
func parallel(n int, do func(i int) error) error {
	const chunk = 32
	var (
		wg    sync.WaitGroup
		mu    sync.Mutex
		next  int
		first = n
		err   error
	)
	for range min((n+chunk-1)/chunk, runtime.GOMAXPROCS(0)) {
		wg.Go(func() {
			for {
				mu.Lock()
				from, end := next, min(next+chunk, first)
				next += chunk
				mu.Unlock()
				if from >= end {
					return
				}
				for i := from; i < end; i++ {
					if e := do(i); e != nil {
						mu.Lock()
						if i < first {
							first, err = i, e
						}
						mu.Unlock()
						break
					}
				}
			}
		})
	}
	wg.Wait()
	return err
}

// A Kept holds the content of files that were rendered, for who asks again.
type Kept struct {
	mu    sync.Mutex
	files map[[2]string][]byte // by host and path
}

// Put keeps a file.
func (k *Kept) Put(f File, content []byte) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.files == nil {
		k.files = map[[2]string][]byte{}
	}
	k.files[[2]string{f.Host, f.Path}] = bytes.Clone(content)
	return nil
}

// Content gives the bytes of a file; nil of one that was not kept.
func (k *Kept) Content(f File) []byte { return k.files[[2]string{f.Host, f.Path}] }
