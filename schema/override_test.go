package schema

import (
	"strings"
	"testing"

	"github.com/plonec/plonec/internal/input"
)

// TestOverride lays values over a stack and decodes what comes out.
func TestOverride(t *testing.T) {
	tree := read(t, "stack.json", layered)
	for text, want := range map[string]func(d *Decoded) bool{
		`haproxy.fall=5`: func(d *Decoded) bool {
			return d.Base.Haproxy.Fall == 5 && d.Base.Haproxy.StatsPassword.Source == "env:A"
		},
		`haproxy.fall=null`:           func(d *Decoded) bool { return d.Base.Haproxy.Fall == 3 },
		`haproxy={"fall":5,"rise":6}`: func(d *Decoded) bool { return d.Base.Haproxy.Fall == 5 && d.Base.Haproxy.Rise == 6 },
		`haproxy.balance=source`:      func(d *Decoded) bool { return d.Base.Haproxy.Balance == "source" },
		`plonec.plone_version=6.0`:    func(d *Decoded) bool { return d.Base.Plonec.PloneVersion == "6.0" },
		`deploy.site.domains=["a.example.org"]`: func(d *Decoded) bool {
			return len(d.Base.App("site").Domains) == 1 && d.Base.App("site").KeepReleases == 3
		},
		`deploy."site".revision=x`: nil,
		`zeoserver.app_name=z`:     func(d *Decoded) bool { return d.Base.PloneZeoserver.AppName == "z" },
		`instances."app1.example.com"={"address":"10.0.0.1","layers":[]}`: func(d *Decoded) bool { return d.Base.Instances["app1.example.com"].Address == "10.0.0.1" },
		// A layer's own, where it stands as a text too.
		`layers.web.custom_json.haproxy.fall=5`: func(d *Decoded) bool {
			return view(t, d, "web").Haproxy.Fall == 5 && view(t, d, "web").Haproxy.Rise == 7 && d.Base.Haproxy.Fall == 4
		},
		`layers.text.custom_json.plone_instances.app_name=q`: func(d *Decoded) bool {
			s := view(t, d, "text")
			return s.PloneInstances.AppName == "q" && s.PloneZeoserver.AppName == "t"
		},
		`haproxy.fal=5`: nil,
		`haproxy.fall=`: nil,
	} {
		o, err := ParseOverride("--set", text, 1)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		d, list := Load(o.Over(tree))
		if want == nil {
			if list.Errors() != 1 || list.Sorted()[0].Span.File.Name != "--set" {
				t.Errorf("%s: want one error that points into it, got\n%s", text, printed(list))
			}
			continue
		}
		if list.Errors() > 0 || !want(d) {
			t.Errorf("%s: errors or another stack:\n%s", text, printed(list))
		}
	}
	if d, _ := Load(tree); d.Base.Haproxy.Fall != 4 {
		t.Error("the tree was changed")
	}
	for _, text := range []string{"", "haproxy", "=1", "a..b=1", `"a=1`, ".a=1", "a.=1", `a"b"=1`} {
		if _, err := ParseOverride("--set", text, 1); err == nil {
			t.Errorf("%q was taken", text)
		}
	}
}

// TestOverrideAlias keeps the name that the stack uses.
func TestOverrideAlias(t *testing.T) {
	for _, stack := range []string{`{"zeoserver": {"app_name": "a"}}`, `{"plone_zeoserver": {"app_name": "a"}}`, `{}`} {
		for _, set := range []string{"zeoserver.app_name=b", "plone_zeoserver.app_name=b"} {
			o, err := ParseOverride("--set", set, 1)
			if err != nil {
				t.Fatal(err)
			}
			if d, list := Load(o.Over(read(t, "stack.json", stack))); list.Errors() > 0 || d.Base.PloneZeoserver.AppName != "b" {
				t.Errorf("%s over %s:\n%s", set, stack, printed(list))
			}
		}
	}
}

// TestSettings finds where attributes are set, and hides what is secret.
func TestSettings(t *testing.T) {
	d := load(t, layered)
	for path, want := range map[string]string{
		"haproxy.fall":                           "haproxy.fall=4 layers.back.custom_json.haproxy.fall=not set layers.same.custom_json.haproxy.fall=9 layers.web.custom_json.haproxy.fall=9",
		"haproxy.stats_password":                 `haproxy.stats_password={"$secret": "env:A"}`,
		"deploy.<app>.keep_releases":             "deploy.other.keep_releases=not set deploy.site.keep_releases=3",
		"deploy.site.keep_releases":              "deploy.site.keep_releases=3",
		"deploy.site.always_build_on_deploy":     "deploy.site.always_buildout_on_deploy=not set layers.apps.custom_json.deploy.site.always_buildout_on_deploy=true",
		"layers.web.custom_json.haproxy.fall":    "layers.web.custom_json.haproxy.fall=9",
		"haproxy.rise":                           "haproxy.rise=not set layers.web.custom_json.haproxy.rise=7",
		"nginx.worker_processes":                 "nginx.worker_processes=not set",
		"no.such":                                "",
		"deploy.site.buildout_init_commands.cmd": "deploy.site.buildout_init_commands=not set",
		"deploy.site.domains[]":                  "deploy.site.domains=not set",
	} {
		var got []string
		for _, s := range d.Settings(path) {
			got = append(got, s.String()+"="+s.Shown())
			if (s.Value != nil) != s.Key.HasPlace() {
				t.Errorf("%s: a value without a place", s.String())
			}
		}
		if text := strings.Join(got, " "); text != want {
			t.Errorf("%s: want %q, got %q", path, want, text)
		}
	}
	d, _ = Load(read(t, "stack.json", `{"haproxy": {"stats_password": "hunter2"}, "deploy": {"site": {"environment": {"TOKEN": "hunter2"}, "scm": {"repository": "https://me:hunter2@example.org/"}}}}`))
	for _, path := range []string{"haproxy", "deploy", "deploy.site.environment.TOKEN", "haproxy.stats_password"} {
		for _, s := range d.Settings(path) {
			if strings.Contains(s.Shown(), "hunter2") {
				t.Errorf("%s shows %s", s.String(), s.Shown())
			}
		}
	}
}

// TestOthers finds another value for every attribute of which something is made.
func TestOthers(t *testing.T) {
	for _, a := range Root().Leaves() {
		if a.Layered || a.Key != nil && a.Elem == nil {
			continue
		}
		s := Setting{Attr: a}
		list := s.Others([]string{"site"})
		if len(list) == 0 {
			t.Errorf("%s: no other value is known", a.Path)
		}
		if a.Default != nil && len(list) == 1 && equal(list[0], a.Default) {
			t.Errorf("%s: its default alone", a.Path)
		}
	}
}

func FuzzOverride(f *testing.F) {
	for _, text := range []string{"haproxy.fall=5", `instances."a.b".cpus={"a":[1]}`, `a."\u00`, "layers.a.custom_json.x=1"} {
		f.Add(text)
	}
	tree := read(f, "stack.json", layered)
	f.Fuzz(func(t *testing.T, text string) {
		o, err := ParseOverride("--set", text, 1)
		if err != nil {
			return
		}
		if at := o.Over(tree).Lookup(o.Path...); at == nil && o.Value.Kind != input.Null && Lookup(o.String()) == nil {
			t.Errorf("%q is not in the tree", text)
		}
		Load(o.Over(tree))
	})
}
