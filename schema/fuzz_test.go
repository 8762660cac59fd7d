package schema

import (
	"net/netip"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/plonec/plonec/internal/diag"
	"github.com/plonec/plonec/internal/input"
)

// FuzzLoad: no stack makes Load panic; one without errors decodes whole, in
// every view.
func FuzzLoad(f *testing.F) {
	files, _ := filepath.Glob("testdata/diagnostics/*.txtar")
	for _, file := range files {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(archive.Files[0].Data))
	}
	f.Add(layered)
	for _, probe := range probes {
		f.Add(`{"instances": ` + probe + `, "layers": {"l": ` + probe + `}, "opsworks": {"layers": {"l": {"instances": {"h": ` + probe + `}}}, "instance": ` + probe + `}}`)
		f.Add(`{"layers": {"l": {"custom_json": ` + probe + `}}, "zeoserver": ` + probe + `, "plone_zeoserver": {}, "deploy": {"x": {"environment": ` + probe + `, "environment_variables": {}}}}`)
		f.Add(`{"plonec": {"ignore": [` + probe + `]}, "deploy_buildout": ` + probe + `, "haproxy": {"fall": ` + probe + `}}`)
	}
	f.Fuzz(func(t *testing.T, text string) {
		tree, list := input.ReadJSON(&diag.File{Name: "fuzz.json", Content: []byte(text)})
		if tree == nil || list.Errors() > 0 {
			return
		}
		Mask(tree)
		d, list := Load(tree)
		for layer := range d.layers {
			_, more := d.View([]string{layer})
			list = append(list, more...)
		}
		d.Base.App("x")
		printed(list)
		if list.Errors() == 0 && len(d.mismatches) > 0 {
			t.Errorf("no errors, and yet %q", d.mismatches)
		}
		if list.Errors() == 0 {
			if _, list := Load(input.WithoutNulls(tree)); list.Errors() > 0 {
				t.Errorf("null is not the same as not set: %s", printed(list))
			}
		}
	})
}

// TestNeverPrinted puts values that nobody should see wherever a secret may
// stand, in every shape, and under unknown keys everywhere.
func TestNeverPrinted(t *testing.T) {
	shapes := []string{
		`"hidden"`, `"hidden\nhidden"`, `"\u0001hidden"`, `["hidden"]`, `{"$secret": "hidden"}`, `{"$secret": "env:hidden hidden"}`,
		`{"$secret": ["hidden"]}`, `{"secret": "hidden"}`, `{"$secret": "env:A", "more": "hidden"}`, `{"a": {"b": "hidden"}}`,
	}
	count := 0
	try := func(path, shape string) {
		keys := strings.Split(strings.NewReplacer("<app>", "x", "<variable>", "A_PASSWORD", "<host>", "h", "<layer>", "l", "<domain>", "d", "<event>", "setup", "<file>", "f", "<package>", "p", "<directory>", "d", "<path>", "d", "<cookie>", "c").Replace(path), ".")
		text := shape
		for i := len(keys) - 1; i >= 0; i-- {
			key, list := strings.CutSuffix(keys[i], "[]")
			if list {
				text = "[" + text + "]"
			}
			text = "{" + strconv.Quote(key) + ": " + text + "}"
		}
		count++
		tree := read(t, "stack.json", text)
		_, list := Load(tree)
		out := printed(list)
		for _, d := range list {
			out += d.Message + d.Remedy + d.Path
		}
		if strings.Contains(out, "hidden") {
			t.Errorf("%s is printed:\n%s", text, out)
		}
		if len(list) == 0 {
			t.Errorf("%s: nothing is said", text)
		}
	}
	Root().each(func(a *Attr) {
		if a.Sent || strings.Contains(a.Path, "$") {
			return
		}
		if a.Secret || a.def == "#EnvValue" {
			for _, shape := range shapes {
				try(a.Path, shape)
				try("layers.l.custom_json."+a.Path, shape)
			}
		}
		if len(a.Fields) > 0 && a.Path != "" {
			try(a.Path+".no_such_key", `{"a": ["hidden"]}`)
		}
		if a.kindWords() == "a string" && a.def == "#Repository" || a.def == "#URL" || a.def == "#Address" || a.def == "#Line" && a.Name == "args" {
			try(a.Path, `"https://me:hidden@example.com/\u0001"`)
		}
	})
	try("no_such_key", `"hidden"`)
	if count < 250 {
		t.Errorf("only %d values tried", count)
	}
}

// FuzzAddress: the schema and the standard library agree on IP addresses.
func FuzzAddress(f *testing.F) {
	for _, s := range []string{"10.0.0.1", "010.0.0.1", "256.1.1.1", "1.2.3", "::", "::1", "1::", "fd00::1:2", "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7::", "::2:3:4:5:6:7:8", "1::3::5", ":::", "1:2:3:4:5:6:7:8:9", "::ffff:1.2.3.4", "fe80::1%eth0", "12345::", "g::"} {
		f.Add(s)
	}
	c := compile()
	v4, err := newTree(c.top, "#IPv4")
	if err != nil {
		f.Fatal(err)
	}
	v6, err := newTree(c.top, "#IPv6")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, s string) {
		ip, err := netip.ParseAddr(s)
		j := newJudge(c)
		if got, want := j.accepts(v4, input.String, s), err == nil && ip.Is4(); got != want {
			t.Errorf("%q: IPv4 %v, want %v", s, got, want)
		}
		// An IPv6 address with a zone or with dots inside is of no use here.
		want := err == nil && ip.Is6() && ip.Zone() == "" && !strings.Contains(s, ".")
		if got := j.accepts(v6, input.String, s); got != want {
			t.Errorf("%q: IPv6 %v, want %v", s, got, want)
		}
	})
}

// FuzzDistance holds the suggester's distance against a plain recursion.
func FuzzDistance(f *testing.F) {
	f.Add("stats_pasword", "stats_password")
	f.Add("", "a")
	var slow func(a, b string) int
	slow = func(a, b string) int {
		switch {
		case a == "" || b == "":
			return len(a) + len(b)
		case a[0] == b[0]:
			return slow(a[1:], b[1:])
		}
		return 1 + min(slow(a[1:], b), slow(a, b[1:]), slow(a[1:], b[1:]))
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		if len(a) > 6 || len(b) > 6 {
			a, b = a[:min(6, len(a))], b[:min(6, len(b))]
		}
		if got, want := distance(a, b, 100), slow(a, b); got != want {
			t.Errorf("%q, %q: got %d, want %d", a, b, got, want)
		}
		if got := distance(a, b, 3); got != min(slow(a, b), 3) && got < 3 {
			t.Errorf("%q, %q within 3: got %d", a, b, got)
		}
	})
}
