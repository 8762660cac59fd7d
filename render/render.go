package render

import (
	"bytes"
	"cmp"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"sort"
	"strings"
	"sync"
	"text/template"

	"github.com/plonec/plonec/internal/topology"
	"github.com/plonec/plonec/templates"
)

// artifacts is the table of everything that is rendered, in the order in which
// an operator meets it: from the request's way in to the database.
var artifacts = concat(frontArtifacts, appArtifacts, unitArtifacts, hostArtifacts)

// secretFiles is the table of the files that apply makes from secrets.
var secretFiles = []func(*topology.Host) []SecretFile{frontSecrets, appSecrets, hostSecrets}

func concat(tables ...[]Artifact) []Artifact {
	var all []Artifact
	for _, t := range tables {
		all = append(all, t...)
	}
	return all
}

// parsed is every template, by its name in templates/.
var parsed = template.Must(template.New("").Funcs(funcs).Option("missingkey=error").
	ParseFS(templates.FS, "*.tmpl"))

// Each renders the host's own files in the order of their paths, and gives each to
// visit, whose Content is good until visit returns. It ends with the first error: that
// of visit, or a fault of plonec, not of the stack.
func Each(h *topology.Host, visit func(File) error) error {
	type one struct {
		Instance
		artifact *Artifact
	}
	var all []one
	for i := range artifacts {
		for _, instance := range artifacts[i].Each(h) {
			all = append(all, one{instance, &artifacts[i]})
		}
	}
	slices.SortFunc(all, func(a, b one) int { return strings.Compare(a.Path, b.Path) })
	b := buffers.Get().(*bytes.Buffer)
	defer buffers.Put(b)
	for i, o := range all {
		if i > 0 && o.Path == all[i-1].Path {
			return fmt.Errorf("%s on %s: two artifacts write it", o.Path, h.Name)
		}
		for _, e := range o.Effects {
			if !IsEffect(e) {
				return fmt.Errorf("%s on %s: nobody knows the effect %q", o.Path, h.Name, e)
			}
		}
		b.Reset()
		if err := parsed.ExecuteTemplate(b, o.artifact.Template, o.Data); err != nil {
			return fmt.Errorf("%s on %s: %w", o.Path, h.Name, err)
		}
		err := visit(File{
			Path: o.Path, Mode: cmp.Or(o.artifact.Mode, 0o644), Owner: cmp.Or(o.Owner, o.artifact.Owner, "root:root"),
			Effects: o.Effects, Content: b.Bytes(),
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// buffers are what files are rendered into, one after the other.
var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// Host gives all that Each does, to keep.
func Host(h *topology.Host) ([]File, error) {
	var files []File
	err := Each(h, func(f File) error {
		f.Content = bytes.Clone(f.Content)
		files = append(files, f)
		return nil
	})
	return files, err
}

// Secrets gives the files that apply makes on the host from secrets, sorted by
// path. None of them holds a value.
func Secrets(h *topology.Host) []SecretFile {
	var files []SecretFile
	for _, each := range secretFiles {
		files = append(files, each(h)...)
	}
	sort.Slice(files, func(i, j int) bool { return files[i].Path < files[j].Path })
	return files
}

// ScriptDir is where the host's scripts live.
const ScriptDir = "/usr/local/lib/plonec"

// common are the folders of templates that are copied as they are to their places
// on every host.
var common = []struct{ folder, to string }{{"host", ScriptDir}, {"units", unitDir}}

// Common gives the files that are the same on every host, sorted by path: the
// scripts of templates/host and the units of templates/units.
func Common() ([]File, error) {
	var files []File
	for _, c := range common {
		err := fs.WalkDir(templates.FS, c.folder, func(name string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			content, err := fs.ReadFile(templates.FS, name)
			if err != nil {
				return err
			}
			files = append(files, File{
				Path: path.Join(c.to, name[len(c.folder):]), Mode: scriptMode(content), Owner: "root:root", Content: content,
			})
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	sort.Slice(files, func(i, j int) bool { return files[i].Path < files[j].Path })
	return files, nil
}

// scriptMode: what begins with #! is run, the rest is read by it.
func scriptMode(content []byte) uint32 {
	if bytes.HasPrefix(content, []byte("#!")) {
		return 0o755
	}
	return 0o644
}
