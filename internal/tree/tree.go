package tree

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"path"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/plonec/plonec/internal/topology"
	"github.com/plonec/plonec/render"
)

// A Tree is a whole build in memory: the manifest, and the content of every
// file in it.
type Tree struct {
	Manifest *Manifest
	Readme   []byte
	content  [][]byte // of Manifest.Files, in its order
}

// maxSize bounds a tree in memory, in bytes.
const maxSize = 1 << 30

var errTooLarge = errors.New("the tree would be larger than 1 GiB, or a file of it than 32 MiB: split the stack; many front ends that each list many clients make it so")

// New renders a topology. release is plonec's own version. An error is a
// fault of plonec, not of the stack.
func New(t *topology.Topology, inputs Inputs, release string, readme []byte) (*Tree, error) {
	common, err := render.Common()
	if err != nil {
		return nil, err
	}
	rendered := make([][]render.File, len(t.Hosts))
	files := make([][]File, len(t.Hosts))
	var size atomic.Int64
	if err := parallel(len(t.Hosts), func(i int) error {
		if size.Load() > maxSize {
			return errTooLarge
		}
		list, err := render.Host(t.Hosts[i])
		for _, f := range list {
			size.Add(int64(len(f.Content)))
		}
		rendered[i], files[i] = list, entries(t.Hosts[i].Name, list)
		return err
	}); err != nil {
		return nil, err
	}
	m := &Manifest{Format: Format, Plonec: release, Inputs: inputs, Files: Common(common)}
	tree := &Tree{Manifest: m, Readme: readme, content: contents(nil, common)}
	for i, h := range t.Hosts {
		m.Hosts = append(m.Hosts, Host{
			Name: h.Name, Address: h.Address, SSHAddress: h.SSHAddress, Layers: h.Layers, Status: status(h), SSH: access(h, inputs),
			Rank: h.Rank(), Helpers: h.Helpers(),
		})
		m.Files = append(m.Files, files[i]...)
		tree.content = contents(tree.content, rendered[i])
		m.Secrets = append(m.Secrets, secrets(h, inputs)...)
	}
	for _, f := range m.Files {
		if !safe(f) {
			return nil, fmt.Errorf("%s: a path that would leave the tree: %q", f.Host, f.Path)
		}
	}
	return tree, nil
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
func Common(files []render.File) []File { return entries("*", files) }

func entries(host string, files []render.File) []File {
	list := make([]File, len(files))
	for i, f := range files {
		sum := sha256.Sum256(f.Content)
		list[i] = File{
			Host: host, Path: f.Path, Sum: hex.EncodeToString(sum[:]),
			Mode: fmt.Sprintf("%04o", f.Mode), Owner: f.Owner, Effect: orEmpty(f.Effects),
		}
	}
	return list
}

func contents(all [][]byte, files []render.File) [][]byte {
	for _, f := range files {
		all = append(all, f.Content)
	}
	return all
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

// parallel runs do for 0 to n-1 on every CPU and returns the error of the
// lowest index that has one. Neighbours go to one worker, since they are often
// in one folder.
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
				from := next
				next += chunk
				mu.Unlock()
				if from >= n {
					return
				}
				for i := from; i < min(from+chunk, n); i++ {
					if e := do(i); e != nil {
						mu.Lock()
						if i < first {
							first, err = i, e
						}
						mu.Unlock()
					}
				}
			}
		})
	}
	wg.Wait()
	return err
}

// Content gives the bytes of the manifest's file i.
func (t *Tree) Content(i int) []byte { return t.content[i] }
