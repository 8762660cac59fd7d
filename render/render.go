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

	"github.com/plonec/plonec/internal/builder"
	"github.com/plonec/plonec/internal/service"
	"github.com/plonec/plonec/internal/topology"
	"github.com/plonec/plonec/render/engine"
	"github.com/plonec/plonec/templates"
)

// artifacts is the table of everything that is rendered. What a service has of its own
// comes to it from the file of its name.
var artifacts = slices.Concat(daemonArtifacts, appArtifacts, instanceArtifacts, unitArtifacts, jobArtifacts, hostArtifacts)

// secretFiles is the table of the files that apply makes from secrets.
var secretFiles = []func(*topology.Host) []SecretFile{appSecrets, hostSecrets}

// parsed is every template of a host's file, by its name without its folder.
var parsed = template.Must(template.New("").Funcs(funcs).ParseFS(templates.FS, templates.OfHosts()...))

// programs are the same, made ready to run for thousands of hosts.
var programs = func() engine.Programs {
	all, err := engine.Compile(parsed, funcs)
	if err != nil {
		panic(err)
	}
	return all
}()

// Each renders the host's own files in the order of their paths, and gives each to
// visit, whose Content is good until visit returns. It ends with the first error: that
// of visit, or a fault of plonec, not of the stack.
func Each(h *topology.Host, visit func(File) error) error {
	return Some(h, func(string) bool { return true }, visit)
}

// Some is Each for the files alone whose paths are wanted.
func Some(h *topology.Host, wanted func(path string) bool, visit func(File) error) error {
	type one struct {
		Instance
		artifact *Artifact
	}
	all := make([]one, 0, len(artifacts))
	for i := range artifacts {
		for _, instance := range artifacts[i].Each(h) {
			if wanted(instance.Path) {
				all = append(all, one{instance, &artifacts[i]})
			}
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
		if err := programs.Execute(b, o.artifact.Template, o.Data); err != nil {
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

// common are the files of templates that are copied as they are to every host.
var common = []struct{ files, to string }{
	{"host/*", ScriptDir}, {"host/verbs/*", ScriptDir + "/verbs"}, {"builders/*", builderDir}, {"units/*", unitDir},
}

const builderDir = ScriptDir + "/builders"

// Common gives the files that are the same on every host, sorted by path: the scripts
// of templates/host and templates/builders, the units of templates/units, the shell
// functions of services, and what the scripts know of builders and daemons.
func Common() ([]File, error) {
	files, err := commonFiles()
	return slices.Clone(files), err
}

// commonFiles makes them once: they follow from this program alone.
var commonFiles = sync.OnceValues(func() ([]File, error) {
	files := []File{}
	add := func(name, to string) error {
		content, err := fs.ReadFile(templates.FS, name)
		files = append(files, File{Path: path.Join(to, path.Base(name)), Mode: scriptMode(content), Owner: "root:root", Content: content})
		return err
	}
	for _, c := range common {
		names, err := fs.Glob(templates.FS, c.files)
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			if d, err := fs.Stat(templates.FS, name); err != nil || d.IsDir() {
				continue
			}
			if err := add(name, c.to); err != nil {
				return nil, err
			}
		}
	}
	for _, s := range service.All() {
		name := s.Name + "/" + s.Name + ".sh"
		if _, err := fs.Stat(templates.FS, name); err == nil {
			if err := add(name, ScriptDir+"/services"); err != nil {
				return nil, err
			}
		}
	}
	for _, b := range builder.All() {
		var text bytes.Buffer
		if err := programs.Execute(&text, "builder.conf.tmpl", b); err != nil {
			return nil, err
		}
		files = append(files, File{Path: path.Join(builderDir, b.Name+".conf"), Mode: 0o644, Owner: "root:root", Content: text.Bytes()})
	}
	known, err := daemonsConf()
	if err != nil {
		return nil, err
	}
	files = append(files, File{Path: ScriptDir + "/daemons.conf", Mode: 0o644, Owner: "root:root", Content: known})
	sort.Slice(files, func(i, j int) bool { return files[i].Path < files[j].Path })
	return files, nil
})

// scriptMode: what begins with #! is run, the rest is read by it.
func scriptMode(content []byte) uint32 {
	if bytes.HasPrefix(content, []byte("#!")) {
		return 0o755
	}
	return 0o644
}
