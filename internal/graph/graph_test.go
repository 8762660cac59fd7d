package graph_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"html"
	"io"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/plonec/plonec/internal/graph"
)

// Graphviz reads every graph without a word, and all of the topology is in
// what it draws.
func TestGraphvizReadsDOT(t *testing.T) {
	for name, top := range topologies(t) {
		c := exec.Command("dot", "-Tsvg")
		c.Stdin = bytes.NewReader(graph.New(top).DOT())
		var out, said bytes.Buffer
		c.Stdout, c.Stderr = &out, &said
		if err := c.Run(); errors.Is(err, exec.ErrNotFound) {
			t.Fatalf("%v: testdata/tools browser installs it", err)
		} else if err != nil || said.Len() > 0 {
			t.Errorf("%s: dot: %v: %s", name, err, said.String())
			continue
		}
		missing(t, name+".dot", texts(top), characters(t, name, out.Bytes()))
	}
}

// characters are the texts of an XML document, which has to be one.
func characters(t *testing.T, name string, document []byte) []string {
	t.Helper()
	var list []string
	d := xml.NewDecoder(bytes.NewReader(document))
	d.Strict = true
	d.Entity = map[string]string{"nbsp": " "}
	for {
		token, err := d.Token()
		if err == io.EOF {
			return list
		}
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if text, ok := token.(xml.CharData); ok {
			list = append(list, string(text))
		}
	}
}

// An SVG is a picture by itself: it asks for nothing, runs nothing, and is the
// same each time.
func TestSVGNeedsNothing(t *testing.T) {
	foreign := regexp.MustCompile(`(?i)<script|<image|<use|<foreignObject|href|url\(|@import|@font-face|\son\w+=|<!DOCTYPE|<!ENTITY`)
	for name, top := range topologies(t) {
		svg := graph.New(top).SVG()
		characters(t, name, svg)
		// The words of the hostile stacks are texts, which is for the parser to say.
		if found := foreign.FindString(tags(string(svg))); found != "" {
			t.Errorf("%s: it has %s", name, found)
		}
		for range 3 {
			if !bytes.Equal(svg, graph.New(top).SVG()) {
				t.Errorf("%s: it differs from time to time", name)
			}
		}
	}
}

// tags is a document without its texts, but with its style sheet.
func tags(svg string) string {
	return regexp.MustCompile(`(?s)(<(?:text|title|desc)\b[^>]*>)[^<]*`).ReplaceAllString(svg, "$1")
}

// A secret is in no picture.
func TestNoSecretInAPicture(t *testing.T) {
	top := resolve(t, everywhere(t))
	for _, f := range graph.Formats {
		if out := f.Write(graph.New(top)); bytes.Contains(out, []byte("horse")) || bytes.Contains(out, []byte("zodb")) {
			t.Errorf("%s shows the database's password or its user", f.Name)
		}
	}
}

// What joins the layers of each stack.
func TestLinks(t *testing.T) {
	for name, c := range map[string]struct {
		stack []byte
		want  string
	}{
		"three": {fleet(t, 3), `
			Visitors > lb: HTTP 80
			lb > plone_instances: HTTP 8081–8082
			plone_instances > zeoserver: ZEO 8001`},
		"eight": {fleet(t, 8), `
			Visitors > lb: HTTP 80
			lb > plone_instances: HTTP 8081–8082
			plone_instances > zeoserver: ZEO 8001
			plone_instances > shared_blobs: NFS
			plone_instances > celery_broker: Celery 6379
			zeoserver > shared_blobs: NFS`},
		"mixed": {mixed(t), `
			Visitors > lb: HTTP 80
			Visitors > lb, plone_instances: HTTP 80
			lb > lb, plone_instances: HTTP 8081–8084
			lb > plone_instances: HTTP 8081–8084
			lb, plone_instances > plone_instances: HTTP 8081–8084
			lb, plone_instances > plone_instances: Solr
			lb, plone_instances > Shared blobs: files
			lb, plone_instances > celery_broker: Celery 6379
			plone_instances > lb, plone_instances: ZEO 8001
			plone_instances > plone_instances: Solr
			plone_instances > Shared blobs: files
			plone_instances > celery_broker: Celery 6379`},
		"everywhere": {everywhere(t), `
			Visitors > lb, memcached, plone_instances: HTTP 80, HTTPS 443
			lb, memcached, plone_instances > lb, memcached, plone_instances: HTTP 8081–8084
			lb, memcached, plone_instances > lb, memcached, plone_instances: memcached 11211
			lb, memcached, plone_instances > postgres: PostgreSQL 5432`},
	} {
		var got []string
		for _, l := range graph.New(resolve(t, c.stack)).Links {
			got = append(got, l.From.Title+" > "+l.To.Title+": "+l.Label)
		}
		want := strings.Split(strings.ReplaceAll(strings.TrimSpace(c.want), "\t", ""), "\n")
		if !slices.Equal(got, want) {
			t.Errorf("%s:\n%s\nwant\n%s", name, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
}

// Who is not online is shown, and nothing leads there.
func TestNotOnline(t *testing.T) {
	top := resolve(t, []byte(`{
		"instances": {
			"lb1": {"layers": ["lb"], "address": "10.0.0.1", "status": "stopped"},
			"app1": {"layers": ["plone_instances"], "address": "10.0.0.2", "cpus": 1, "status": "stopped"},
			"app2": {"layers": ["plone_instances"], "address": "10.0.0.4", "cpus": 1},
			"db1": {"layers": ["zeoserver"], "address": "10.0.0.3", "status": "stopped"}},
		"plone_instances": {"app_name": "site", "zeo": {"address": "10.0.0.9:8100"}, "shared_blobs": false},
		"plone_zeoserver": {"app_name": "site"},
		"deploy": {"site": {"scm": {"repository": "https://git.example.com/b.git"}}}}`))
	g := graph.New(top)
	if len(g.Links) != 1 || g.Links[0].From.Title+" > "+g.Links[0].To.Title+": "+g.Links[0].Label != "plone_instances > ZEO server: ZEO 8100" {
		t.Errorf("%+v", g.Links)
	}
	if len(g.Columns) != 3 || g.Summary != "4 hosts (3 not online), 2 clients" {
		t.Errorf("%+v", g)
	}
}

// Any text stays a text in each language, and none of it is lost.
func FuzzTexts(f *testing.F) {
	for _, text := range hostile {
		f.Add(text)
	}
	view := resolve(f, fleet(f, 3)).Hosts[0].Stack
	quoted := regexp.MustCompile(`^(?:[^\x00-\x1f"#%&;<>\\` + "`" + `*+!?^$~|{}\[\]@='\x7f]|#[0-9]+;)*$`)
	number := regexp.MustCompile(`#([0-9]+);`)
	f.Fuzz(func(t *testing.T, text string) {
		shown := graph.Shown(text)
		m := graph.Mermaid(text)
		if !quoted.MatchString(m) {
			t.Errorf("Mermaid: %q", m)
		}
		back := number.ReplaceAllStringFunc(m, func(s string) string {
			n, _ := strconv.Atoi(s[1 : len(s)-1])
			return string(rune(n))
		})
		if back != shown {
			t.Errorf("Mermaid: %q came back as %q", shown, back)
		}
		if d := graph.DOT(text); strings.ContainsAny(d, `<>"`) || shown != "" && strings.ReplaceAll(html.UnescapeString(d), `\\`, `\`) != shown {
			t.Errorf("DOT: %q of %q", d, shown)
		}
		if got, want := strings.Join(graph.Wrap(shown, 60), ""), shown; strings.ReplaceAll(got, " ", "") != strings.ReplaceAll(want, " ", "") {
			t.Errorf("broken: %q of %q", got, want)
		}
		top := named(view, text)
		missing(t, "svg", texts(top), characters(t, "svg", graph.New(top).SVG()))
	})
}
