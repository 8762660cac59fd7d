package schema

import (
	"path"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/plonec/plonec/internal/builder"
	"github.com/plonec/plonec/internal/diag"
	"github.com/plonec/plonec/internal/input"
)

// App returns the app of a name with its defaults, also one that the stack
// does not mention in deploy.
func (s *Stack) App(name string) *App {
	if app := s.Deploy[name]; app != nil {
		return app
	}
	return new(decoder).app(name, s.appDefaults, nil)
}

// fromBuildout renames the keys of deploy_buildout, which go without the
// prefix that they have in an app.
func fromBuildout(key string) string {
	switch key {
	case "symlink_before_migrate", "purge_before_symlink", "create_dirs_before_symlink", "buildout_version":
		return key
	}
	return "buildout_" + key
}

// appDefaults are what deploy_python and deploy_buildout give every app, nil
// for nothing. get finds a top-level key of the stack.
func appDefaults(get func(string) *input.Node) *input.Node {
	var fields []input.Field
	for _, f := range fieldsOf(get("deploy_buildout")) {
		f.Key = fromBuildout(f.Key)
		if old := find(fields, f.Key); old != nil { // version and buildout_version
			old.Value = f.Value
			continue
		}
		fields = append(fields, f)
	}
	python := get("deploy_python")
	if len(fields) == 0 && len(fieldsOf(python)) == 0 {
		return nil
	}
	return layApp(python, input.NewMap(diag.Span{}, fields))
}

// layApp lays an app over its defaults. As in the cookbook, the lists of
// directories add up; other lists are replaced.
func layApp(below, above *input.Node) *input.Node {
	if below == nil || below.Kind != input.Map {
		return above
	}
	merged := input.Merge(below, above)
	var fields []input.Field
	for _, key := range []string{"purge_before_symlink", "create_dirs_before_symlink"} {
		x, y := below.Get(key), above.Get(key)
		if x == nil || y == nil || x == y {
			continue
		}
		items := append(slices.Clone(itemsOf(x)), itemsOf(y)...)
		fields = append(fields, input.Field{Key: key, Span: y.Span, Value: &input.Node{Kind: input.List, Span: y.Span, Items: items}})
	}
	return input.Merge(merged, input.NewMap(merged.Span, fields))
}

// ofTheService are variables that OpsWorks sent for Ruby.
var ofTheService = regexp.MustCompile(`^(RUBY|RAILS|RACK)`)

// app decodes one app.
func (dec *decoder) app(name string, defaults, own *input.Node) *App {
	a := compile().root.fields["deploy"].Elem
	app := new(App)
	n := own
	if defaults != nil {
		n = layApp(defaults, orEmpty(own))
	}
	dec.value(a, n, reflect.ValueOf(app).Elem())
	if app.DeployTo == "" {
		app.DeployTo = path.Join("/srv/www", name)
	}
	if app.Home == "" {
		app.Home = path.Join("/home", app.User)
	}
	if db := app.Database; db != nil && *db == (Database{}) {
		app.Database = nil // as OpsWorks wrote that there is none
	}
	app.Domains = domains(name, app.Domains)
	for variable := range app.Environment {
		if ofTheService.MatchString(variable) {
			delete(app.Environment, variable)
		}
	}
	for _, f := range fieldsOf(a.fields["symlink_before_migrate"].Default) {
		if !app.MadeBy().Makes(f.Key) && app.SymlinkBeforeMigrate[f.Key] == f.Value.Text && own.Lookup("symlink_before_migrate", f.Key) == nil {
			delete(app.SymlinkBeforeMigrate, f.Key)
		}
	}
	for shared, release := range app.SymlinkBeforeMigrate {
		if app.MadeBy().Apart(shared) || app.MadeBy().Apart(release) {
			delete(app.SymlinkBeforeMigrate, shared)
		}
	}
	app.PurgeBeforeSymlink = addDirs(a.fields["purge_before_symlink"].Default, app.PurgeBeforeSymlink, app.MadeBy())
	app.CreateDirsBeforeSymlink = addDirs(a.fields["create_dirs_before_symlink"].Default, app.CreateDirsBeforeSymlink, app.MadeBy())
	return app
}

// domains are in small letters, each once; OpsWorks put the app's own short
// name last, which is none.
func domains(app string, list []string) []string {
	var kept []string
	for _, d := range list {
		d = strings.ToLower(d)
		if d != strings.ToLower(app) && !slices.Contains(kept, d) {
			kept = append(kept, d)
		}
	}
	return kept
}

// addDirs adds directories to the default ones that the builder makes, without those
// that releases never share.
func addDirs(defaults *input.Node, own []string, by *builder.Builder) []string {
	var dirs []string
	for _, n := range itemsOf(defaults) {
		if by.Makes(n.Text) {
			dirs = append(dirs, n.Text)
		}
	}
	for _, dir := range own {
		byDefault := slices.ContainsFunc(itemsOf(defaults), func(n *input.Node) bool { return n.Text == dir })
		if !byDefault && !by.Apart(dir) && !slices.Contains(dirs, dir) {
			dirs = append(dirs, dir)
		}
	}
	return dirs
}

func orEmpty(n *input.Node) *input.Node {
	if n == nil || n.Kind != input.Map {
		return &input.Node{Kind: input.Map}
	}
	return n
}
