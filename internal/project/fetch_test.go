package project

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/plonec/plonec/internal/builder"
	"github.com/plonec/plonec/internal/diag"
	"github.com/plonec/plonec/internal/topology"
	"github.com/plonec/plonec/schema"
)

// TestFetch asks a real server on one loopback address, which this test allows, and is
// led to another one.
func TestFetch(t *testing.T) {
	asked := 0
	answer := func(w http.ResponseWriter, r *http.Request) {
		asked++
		switch r.URL.Path {
		case "/base/a.cfg":
			w.Write([]byte("[buildout]\nextends = b.cfg\n"))
		case "/base/b.cfg":
			w.Write([]byte("[versions]\nPlone = 6.2.2\n"))
		case "/away":
			http.Redirect(w, r, "http://127.0.0.2:"+r.Host[strings.LastIndex(r.Host, ":")+1:]+"/base/b.cfg", http.StatusFound)
		case "/loop":
			http.Redirect(w, r, "/loop", http.StatusFound)
		case "/file":
			http.Redirect(w, r, "file:///etc/passwd", http.StatusFound)
		case "/large":
			w.Write(make([]byte, maxFile+1))
		default:
			http.NotFound(w, r)
		}
	}
	listener, err := net.Listen("tcp", "0.0.0.0:0")
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(http.HandlerFunc(answer))
	server.Listener = listener
	server.Start()
	defer server.Close()
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	at := func(path string) string { return "http://127.0.0.1:" + port + path }

	one := newFetcher(context.Background(), func(a netip.Addr) bool { return a != netip.MustParseAddr("127.0.0.1") })
	for path, want := range map[string]string{
		"/away": "its address is private", "/loop": "it redirects too often", "/file": "it redirects to something other than http and https", "/large": "it has more than 4 MiB", "/no": "the server answers 404",
	} {
		if _, err := one.fetch(at(path)); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: %v", path, err)
		}
	}
	c := &closure{dir: t.TempDir(), app: &topology.App{Name: "site", Config: &schema.App{}}, python: python{debian12, 2}, texts: &texts{fetch: one, files: map[string]*diag.File{}}, byPlace: map[string]*source{}}
	main := &source{}
	s := c.add(at("/base/a.cfg"), reference{in: main, base: "."}, []*source{main})
	if s == nil || len(main.list) > 0 || len(s.wrong()) > 0 || len(c.sources) != 2 || !strings.Contains(s.text, "extends = 0-1.cfg\n") || !strings.Contains(c.sources[1].text, "Plone = 6.2.2") {
		t.Errorf("%+v %v", c.sources, main.list)
	}

	// As plonec asks, nobody is asked at all: by number or by name.
	before := asked
	real := newFetcher(context.Background(), isPrivate)
	for _, url := range []string{at("/base/b.cfg"), "http://localhost:" + port + "/base/b.cfg", "http://[::ffff:127.0.0.1]:" + port + "/base/b.cfg"} {
		if _, err := real.fetch(url); !errors.Is(err, errPrivate) {
			t.Errorf("%s: %v", url, err)
		}
	}
	if asked != before {
		t.Error("the server was asked")
	}
	if _, err := real.fetch("https://user:word@example.com/x.cfg"); err == nil || strings.Contains(err.Error(), "word@") {
		t.Error(err)
	}
}

// TestFilesThatAreNotRead: links out of the project, and what is no file.
func TestFilesThatAreNotRead(t *testing.T) {
	dir, outside := t.TempDir(), t.TempDir()
	for name, target := range map[string]string{"link.cfg": filepath.Join(outside, "secret.cfg"), "device.cfg": "/dev/zero"} {
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range map[string]string{filepath.Join(outside, "secret.cfg"): "[buildout]\n", filepath.Join(dir, "bytes.cfg"): "[buildout]\n\xff", filepath.Join(dir, "return.cfg"): "# x\r[a: evil]\n"} {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	app := &schema.App{SymlinkBeforeMigrate: map[string]string{"extends": "extends"}, Files: map[string]schema.EnvValue{"given.cfg": {Text: "[given]\nx = 1\n"}}}
	for name, want := range map[string]string{
		"link.cfg": "project-file", "device.cfg": "project-file", "bytes.cfg": "project-file", "no.cfg": "project-file", "../x.cfg": "project-file", "/etc/passwd": "project-file", "~/x.cfg": "project-file",
		"file:///etc/passwd": "project-file", "extends/x.cfg": "beside-checkout", "return.cfg": "project-expression", "given.cfg": "", "plonec-secret-1.cfg": "",
	} {
		c := &closure{dir: dir, app: &topology.App{Name: "site", Config: app}, python: python{debian12, 2}, texts: &texts{files: map[string]*diag.File{}}, byPlace: map[string]*source{}}
		main := &source{place: DeployCfg}
		text := "[buildout]\nextends = " + name + "\n"
		main.file = &diag.File{Content: []byte(text)}
		main.cfg, _ = builder.ReadCfg(text, nil)
		c.follow(main, []*source{main}, nil)
		got := ""
		for _, d := range main.wrong() {
			got += d.Code
		}
		if got != want {
			t.Errorf("%s: %q, want %q: %v", name, got, want, main.wrong())
		}
	}
}
