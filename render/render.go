package render

import (
	"bytes"
	"fmt"
	"io/fs"
	"path"
	"sort"
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

// Host renders the host's own files, sorted by path. An error is a fault of
// plonec, not of the stack.
func Host(h *topology.Host) ([]File, error) {
	var files []File
	for _, a := range artifacts {
		for _, i := range a.Each(h) {
			var b bytes.Buffer
			if err := parsed.ExecuteTemplate(&b, a.Template, i.Data); err != nil {
				return nil, fmt.Errorf("%s on %s: %w", i.Path, h.Name, err)
			}
			f := File{Path: i.Path, Mode: a.Mode, Owner: a.Owner, Effects: i.Effects, Content: b.Bytes()}
			if i.Owner != "" {
				f.Owner = i.Owner
			}
			if f.Mode == 0 {
				f.Mode = 0o644
			}
			if f.Owner == "" {
				f.Owner = "root:root"
			}
			for _, e := range f.Effects {
				if !IsEffect(e) {
					return nil, fmt.Errorf("%s on %s: nobody knows the effect %q", i.Path, h.Name, e)
				}
			}
			files = append(files, f)
		}
	}
	sort.Slice(files, func(i, j int) bool { return files[i].Path < files[j].Path })
	for i := 1; i < len(files); i++ {
		if files[i].Path == files[i-1].Path {
			return nil, fmt.Errorf("%s on %s: two artifacts write it", files[i].Path, h.Name)
		}
	}
	return files, nil
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
