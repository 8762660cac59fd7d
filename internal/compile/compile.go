// Package compile makes a stack into a tree: its files are read and judged by the
// schema, resolved into a topology, and rendered for each host.
package compile

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/plonec/plonec/internal/diag"
	"github.com/plonec/plonec/internal/git"
	"github.com/plonec/plonec/internal/input"
	"github.com/plonec/plonec/internal/topology"
	"github.com/plonec/plonec/internal/tree"
	"github.com/plonec/plonec/render"
	"github.com/plonec/plonec/schema"
)

// Options say for which tree a stack is compiled, and with what.
type Options struct {
	Tree    string            // its folder; need not be there
	Release string            // of plonec, which the manifest records
	ExtStr  map[string]string // Jsonnet's external variables
	TLAStr  map[string]string // Jsonnet's top-level arguments
}

// A Judged is a stack that compiles, and was not rendered yet.
type Judged struct {
	Text     *input.Node // the stack, merged from its files
	Stack    *schema.Decoded
	Secrets  []schema.PlainSecret // that stand in it in plain
	Topology *topology.Topology
	Readme   []byte // of the tree

	inputs  tree.Inputs
	release string
}

// A Built is what a stack becomes, less the content of the files.
type Built struct {
	*Judged
	Tree *tree.Tree
}

// Stack reads, judges, resolves and renders a stack, and keeps the sums of its files;
// with no files it is the one that StackFiles finds. Built is nil where the list has
// errors; err is what is not the stack's own fault.
func Stack(files []string, o *Options) (*Built, diag.List, error) {
	s, diags, err := Read(files, o)
	if s == nil {
		return nil, diags, err
	}
	return s.Compile()
}

// A Text is a stack that was read, and not judged yet.
type Text struct {
	Files   []string // as they were named
	options *Options
	read    *input.Result
	diags   diag.List // of the reading
}

// Read reads the files of a stack. It returns nil where one of them could
// not be read to its end.
func Read(files []string, o *Options) (*Text, diag.List, error) {
	files, err := StackFiles(files, o)
	if err != nil {
		return nil, nil, err
	}
	for _, name := range files {
		if _, err := git.Around(filepath.Dir(name)); err != nil {
			return nil, nil, err
		}
	}
	read, diags := input.Load(files, input.Options{ExtStr: o.ExtStr, TLAStr: o.TLAStr, Mask: schema.Mask})
	if read.Tree == nil {
		return nil, diags, nil
	}
	return &Text{files, o, read, diags}, diags, nil
}

// Compile makes the tree of a stack with values laid over it. The list holds
// what reading it found too.
func (s *Text) Compile(over ...*schema.Override) (*Built, diag.List, error) {
	judged, diags, err := s.Judge(over...)
	if judged == nil {
		return nil, diags, err
	}
	built, more, err := judged.Render(nil)
	return built, append(diags, more...), err
}

// Judge is Compile up to the topology. Judged is nil where the list has errors.
func (s *Text) Judge(over ...*schema.Override) (*Judged, diag.List, error) {
	text := s.read.Tree
	for _, o := range over {
		text = o.Over(text)
	}
	text, beside, missing := withFiles(text, s.Files[0])
	inputs, err := treeInputs(s.Files, append(slices.Clone(s.read.Files), beside...), s.options)
	if err != nil {
		return nil, s.diags, err
	}
	before := append(slices.Clone(s.diags), missing...)
	judged, more, err := judge(text, inputs, s.options)
	diags := append(before, unexplained(more, before)...)
	if diags.Errors() > 0 {
		return nil, diags, nil
	}
	return judged, diags, err
}

// Assemble makes the tree of a stack that was read from inputs. Built is nil where the
// list has errors.
func Assemble(text *input.Node, inputs tree.Inputs, o *Options) (*Built, diag.List, error) {
	judged, diags, err := judge(text, inputs, o)
	if judged == nil {
		return nil, diags, err
	}
	built, more, err := judged.Render(nil)
	return built, append(diags, more...), err
}

func judge(text *input.Node, inputs tree.Inputs, o *Options) (*Judged, diag.List, error) {
	decoded, diags := schema.Load(text)
	t, more := topology.Resolve(decoded)
	diags = append(diags, unexplained(more, diags)...)
	if diags.Errors() > 0 {
		return nil, diags, nil
	}
	diags = append(diags, argumentsInTree(o)...)
	secrets := decoded.PlainSecrets()
	if diags = append(diags, secretArguments(o, secrets)...); diags.Errors() > 0 {
		return nil, diags, nil
	}
	readme, err := render.Readme(t, diags.Sorted())
	if err != nil {
		return nil, diags, err
	}
	return &Judged{text, decoded, secrets, t, readme, inputs, o.Release}, diags, nil
}

// Render renders the files of all hosts and gives each to put, which may be nil. A file
// in which a plain secret of the stack stands is not given: the list has an error then,
// and Built is nil.
func (j *Judged) Render(put tree.Put) (*Built, diag.List, error) {
	found := newFinder(j.Secrets)
	m, err := tree.Render(j.Topology, j.inputs, j.release, found.before(put))
	if list := found.diags(); err != nil || list.Errors() > 0 {
		return nil, list, err
	}
	return &Built{j, &tree.Tree{Manifest: m, Readme: j.Readme}}, nil, nil
}

// Key stands for all that the files of hosts follow from: this very program, what was
// read and the arguments.
func (j *Judged) Key() (string, error) {
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	program, err := os.Open(self)
	if err != nil {
		return "", err
	}
	defer program.Close()
	h := sha256.New()
	if _, err := io.Copy(h, program); err != nil {
		return "", err
	}
	err = json.NewEncoder(h).Encode([]any{j.release, j.inputs})
	return hex.EncodeToString(h.Sum(nil)), err
}

// unexplained leaves out what follows from a mistake that an earlier stage
// reported at or below the same place: no CPUs where "cpus" is misspelt.
func unexplained(list, earlier diag.List) diag.List {
	wrong := map[string]bool{}
	for _, d := range earlier {
		if d.Severity() != diag.Error {
			continue
		}
		for path := d.Path; path != ""; {
			wrong[path] = true
			path = path[:max(strings.LastIndexAny(path, ".["), 0)]
		}
	}
	var kept diag.List
	for _, d := range list {
		if !wrong[d.Path] {
			kept = append(kept, d)
		}
	}
	return kept
}
