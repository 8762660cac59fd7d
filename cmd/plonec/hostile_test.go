package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/plonec/plonec/internal/compile"
	"github.com/plonec/plonec/internal/diag"
	"github.com/plonec/plonec/internal/input"
	"github.com/plonec/plonec/internal/native"
	"github.com/plonec/plonec/schema"
)

// hostile are texts that mean something in one syntax or another. Each is
// tried in every attribute that takes text; what the schema refuses is refused
// with an error, and what it takes must stay in its place.
var hostile = []string{
	"'; touch /tmp/plonec-pwned; '",
	"$(touch /tmp/plonec-pwned)",
	"`touch /tmp/plonec-pwned`",
	`"; } server { listen 81; } #`,
	`" # nothing after`,
	"${buildout:directory} $${x} %(here)s %n %% $HOME $1 $host",
	`\ \\ \" \n \x41 \`,
	"[section]",
	"# ; // /* */ <!-- -->",
	`"} {" }} {{.}} {{`,
	"<= += -= key = value",
	"<path> &amp; </path> <![CDATA[",
	"-oProxyCommand=x --flag",
	"| * _ [link](x) <script>",
	"Größe 漢字 \u00a0",
	"a \u202e b",
	"'''\"\"\"",
}

// pasted are the attributes whose text is the user's own configuration, or a page: it is
// put where it belongs as it is, and the daemons judge it.
var pasted = []string{"error_page", "maintenance_page", "additional_servers", "additional_config", "additional_ssl_config", "default_config", "default_ssl_config", "subsite_config", "buildout_additional_config",
	"top", "vcl_recv", "vcl_hash", "vcl_backend_fetch", "vcl_backend_response", "vcl_deliver"}

// TestHostileTexts sets hostile texts in every attribute that takes text, all
// at once, and lets the parsers of every syntax judge: the daemons accept the
// files, and each file has the shape that it has without them. Where that
// fails, the attributes are tried one by one to name the culprit.
func TestHostileTexts(t *testing.T) {
	all := bases(t)
	rounds := hostileRounds(t, all[0])
	for i, base := range all {
		t.Run(fmt.Sprint("base ", i), func(t *testing.T) {
			t.Parallel()
			for _, round := range rounds {
				stack, plain := any(base), any(base)
				for path, text := range round {
					stack = set(stack, strings.Split(path, "."), text)
					if p := set(plain, strings.Split(path, "."), "plain"); takes(t, p) {
						plain = p
					}
				}
				c, diags := compileJSON(t, plain)
				if c == nil {
					t.Fatal(first(diags))
				}
				shape := shapes(t, c)
				problem := judge(t, stack, shape)
				if problem == "" {
					continue
				}
				t.Errorf("a text leaves its place: %s", problem)
				for path, text := range round {
					if p := judge(t, set(plain, strings.Split(path, "."), text), shape); p != "" {
						t.Errorf("%s with %q: %s", path, text, p)
					}
				}
			}
		})
	}
	t.Cleanup(func() {
		if _, err := os.Stat("/tmp/plonec-pwned"); err == nil {
			t.Error("a text from a stack was executed")
		}
	})
}

// The judge notices a text that left its place.
func TestHostileJudge(t *testing.T) {
	base := bases(t)[0]
	c, _ := compileJSON(t, base)
	shape := shapes(t, c)
	if p := judge(t, base, shape); p != "" {
		t.Fatal(p)
	}
	bad := set(base, strings.Split("nginx_plone.additional_config", "."), "} server { listen 81;")
	if p := judge(t, bad, shape); !strings.Contains(p, "nginx") {
		t.Errorf("got %q", p)
	}
}

// hostileRounds gives what to set: in the first round every attribute has the
// longest text that the schema lets it have, all hostile texts in one where it
// takes them; attributes that take several have the others in later rounds.
func hostileRounds(t *testing.T, base map[string]any) []map[string]string {
	t.Helper()
	texts := textAttributes()
	if len(texts) < 40 {
		t.Fatalf("only %d attributes take text", len(texts))
	}
	var rounds []map[string]string
	free := 0
	for _, path := range texts {
		var taken []string
		for _, text := range hostile {
			if takes(t, set(base, strings.Split(path, "."), text)) {
				taken = append(taken, text)
			}
		}
		if all := strings.Join(taken, " "); len(taken) > 0 && takes(t, set(base, strings.Split(path, "."), all)) {
			taken = []string{all}
			if len(all) > 200 {
				free++
			}
		}
		for i, text := range taken {
			if i == len(rounds) {
				rounds = append(rounds, map[string]string{})
			}
			rounds[i][path] = text
		}
	}
	if free < 10 {
		t.Fatalf("only %d attributes take long texts: the test shows little", free)
	}
	return rounds
}

// takes tells whether the schema lets an attribute have a text.
func takes(t *testing.T, stack any) bool {
	t.Helper()
	data, err := json.Marshal(stack)
	if err != nil {
		t.Fatal(err)
	}
	tree, diags := input.ReadJSON(&diag.File{Name: "stack.json", Content: data})
	if len(diags) > 0 {
		t.Fatal(diags)
	}
	_, diags = schema.Load(tree)
	return diags.Errors() == 0
}

// No attribute takes a text that would end its line.
func TestNoTextEndsItsLine(t *testing.T) {
	base := bases(t)[0]
	for _, path := range textAttributes() {
		for _, bad := range []string{"a\nb", "a\rb", "a\x00b", "a\x1b[31mb", "a\tb"} {
			c, diags := compileJSON(t, set(base, strings.Split(path, "."), bad))
			if c != nil {
				t.Errorf("%s takes %q", path, bad)
			}
			if diags.Errors() == 0 {
				t.Errorf("%s: %q is no error", path, bad)
			}
			var out bytes.Buffer
			if err := (diag.Text{}).Format(&out, diags); err != nil {
				t.Fatal(err)
			}
			if strings.ContainsAny(out.String(), "\r\t\x00\x1b") {
				t.Errorf("%s: it is printed as it is: %q", path, out.String())
			}
		}
	}
}

// textAttributes are the paths of all attributes that take a text of one line.
func textAttributes() []string {
	var paths []string
	eachLeaf(schema.Root(), func(a *schema.Attr) bool {
		return a.Sent || a.Into != "" || strings.HasPrefix(a.Path, "opsworks.") && !strings.HasPrefix(a.Path, "opsworks.stack") || slices.Contains(pasted, a.Name)
	}, func(a *schema.Attr) {
		for _, other := range []string{"a truth", "a whole", "a number", "a certificate", "one of"} {
			if strings.HasPrefix(a.Type, other) {
				return
			}
		}
		paths = append(paths, a.Path)
	})
	return append(paths, "deploy.<app>.environment.<variable>")
}

// judge compiles a stack and says what is wrong with its files, or nothing.
func judge(t *testing.T, stack any, shape map[string]string) string {
	t.Helper()
	c, diags := compileJSON(t, stack)
	if c == nil {
		return fmt.Sprintf("it does not compile: %+v", first(diags))
	}
	for _, r := range judged(t, c) {
		if r.Outcome != native.Good {
			return fmt.Sprintf("%s on %s: %s: %s", r.Program, r.Host, r.Outcome, r.Output)
		}
	}
	for path, got := range shapes(t, c) {
		if want, ok := shape[path]; ok && got != want {
			return fmt.Sprintf("%s has another shape:\n%s\nwant\n%s", path, got, want)
		}
	}
	return sourced(t, c)
}

func first(diags diag.List) string {
	for _, d := range diags {
		if d.Severity() == diag.Error {
			return d.Code + " " + d.Path + " " + d.Message
		}
	}
	return ""
}

// shapes is, for each file, the word that each of its lines begins with.
func shapes(t *testing.T, c *compile.Built) map[string]string {
	m := map[string]string{}
	contents := contents(t, c)
	for _, f := range c.Tree.Manifest.Files {
		var b strings.Builder
		for line := range bytes.Lines(contents.Content(f)) {
			if f.Path == "/etc/plonec/varnish-purge" && line[0] != '#' { // a pattern a line
				line = []byte("pattern")
			}
			fields := bytes.FieldsFunc(line, func(r rune) bool { return strings.ContainsRune(" \t\n={;(\"'$", r) })
			if len(fields) > 0 {
				b.Write(fields[0])
			}
			b.WriteByte('\n')
		}
		m[f.Rel()] = b.String()
	}
	return m
}

// sourced lets a shell read every file that the scripts source, and nothing
// but assignments may come of it.
func sourced(t *testing.T, c *compile.Built) string {
	t.Helper()
	contents := contents(t, c)
	for _, f := range c.Tree.Manifest.Files {
		if !strings.HasPrefix(f.Path, "/etc/plonec/") || !strings.HasSuffix(f.Path, ".conf") && !strings.HasSuffix(f.Path, ".env") {
			continue
		}
		name := filepath.Join(t.TempDir(), "f")
		if err := os.WriteFile(name, contents.Content(f), 0o644); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command("bash", "-c", `PATH=/nonexistent; . "$0"; declare -p >/dev/null`, name)
		cmd.Env = []string{}
		if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
			return fmt.Sprintf("%s: a shell says %v: %s", f.Path, err, out)
		}
	}
	return ""
}
