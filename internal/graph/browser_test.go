package graph_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode"

	"github.com/plonec/plonec/internal/graph"
	"github.com/plonec/plonec/internal/topology"
)

type measured struct {
	Problems, Texts, Words []string
	Page                   string // the colour of the ground
	Lines, Offline         int
}

type verdict struct {
	Failed  string
	SVG     map[string]map[string]measured
	Mermaid map[string]measured
}

// A browser draws every picture in light and in dark, and measures it: no text
// leaves its box, nothing lies on anything else, all can be read, and all of the
// topology is there. Mermaid itself reads what is written for it.
func TestPicturesInABrowser(t *testing.T) {
	all := topologies(t)
	v := browse(t, all)
	if len(v.SVG) != len(all) || len(v.Mermaid) != len(all) {
		t.Fatalf("%d and %d of %d were measured: %s", len(v.SVG), len(v.Mermaid), len(all), v.Failed)
	}
	for name, top := range all {
		g := graph.New(top)
		offline := 0
		for _, h := range top.Hosts {
			if !h.Online {
				offline++
			}
		}
		for scheme, m := range v.SVG[name] {
			for _, p := range m.Problems {
				t.Errorf("%s, %s: %s", name, scheme, p)
			}
			if m.Lines < len(g.Links) || m.Offline != offline {
				t.Errorf("%s: %d lines and %d hosts not online are drawn, of %d and %d", name, m.Lines, m.Offline, len(g.Links), offline)
			}
			missing(t, name+".svg", texts(top), m.Texts)
			missing(t, name+".svg, its words", texts(top), m.Words)
		}
		if v.SVG[name]["light"].Page == v.SVG[name]["dark"].Page {
			t.Errorf("%s: the same ground in light and in dark: %s", name, v.SVG[name]["light"].Page)
		}
		for _, p := range v.Mermaid[name].Problems {
			t.Errorf("%s.mmd: %s", name, p)
		}
		missing(t, name+".mmd", texts(top), v.Mermaid[name].Texts)
	}
}

// The measuring sees what is wrong.
func TestTheMeasuringSees(t *testing.T) {
	good := string(graph.New(resolve(t, fleet(t, 3))).SVG())
	bad := map[string]string{
		"leaves its box":   strings.ReplaceAll(good, ">db1<", ">a name that is much too long for the box it is in<"),
		"contrast":         strings.ReplaceAll(good, "#1f2328", "#d1d9e0"),
		"not an SVG":       strings.ReplaceAll(good, "</desc>", ""),
		"overlap:":         strings.Replace(good, "</svg>", `<text class="t" x="30" y="44">over the title</text></svg>`, 1),
		"points at":        strings.Replace(good, `class="tip" d="M`, `class="tip" d="M1`, 1),
		"a line runs over": strings.Replace(good, `class="line" d="M`, `class="line" d="M500 190L0 190M`, 1),
	}
	v := browseFiles(t, bad, nil)
	for want := range bad {
		got := v.SVG[want]["light"].Problems
		if !slices.ContainsFunc(got, func(p string) bool { return strings.Contains(p, want) }) {
			t.Errorf("%s: it sees %q", want, got)
		}
	}
}

// missing reports what does not stand in a picture. Lines may be broken
// anywhere, and white space may be any.
func missing(t *testing.T, where string, want, have []string) {
	t.Helper()
	squeeze := func(s string) string {
		return strings.Map(func(r rune) rune {
			if unicode.IsSpace(r) {
				return -1
			}
			return r
		}, graph.Shown(s))
	}
	all := squeeze(strings.Join(have, ""))
	for _, w := range want {
		if !strings.Contains(all, squeeze(strings.ReplaceAll(w, "_failed", " failed"))) {
			t.Errorf("%s: %q is not there", where, w)
		}
	}
}

// browse has the pictures of topologies measured.
func browse(t *testing.T, all map[string]*topology.Topology) verdict {
	t.Helper()
	svg, mermaid := map[string]string{}, map[string]string{}
	for name, top := range all {
		g := graph.New(top)
		svg[name], mermaid[name] = string(g.SVG()), string(g.Mermaid())
	}
	return browseFiles(t, svg, mermaid)
}

// browseFiles shows pictures to a browser, by their names, and returns what
// testdata/measure.html says of them.
func browseFiles(t *testing.T, svg, mermaid map[string]string) verdict {
	t.Helper()
	var stderr bytes.Buffer
	setup := exec.Command("../../testdata/browser/setup")
	setup.Stderr = &stderr
	script, err := setup.Output()
	if err != nil {
		t.Fatalf("testdata/browser/setup: %v: %s", err, stderr.String())
	}
	said := make(chan verdict, 1)
	mux := http.NewServeMux()
	mux.HandleFunc("/{$}", func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, "testdata/measure.html") })
	mux.HandleFunc("/mermaid.js", func(w http.ResponseWriter, r *http.Request) {
		http.ServeFile(w, r, strings.TrimSpace(string(script)))
	})
	mux.HandleFunc("/names", func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(slices.Sorted(maps.Keys(svg)))
	})
	mux.HandleFunc("/svg/{name}", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "image/svg+xml")
		fmt.Fprint(w, svg[r.PathValue("name")])
	})
	mux.HandleFunc("/mermaid/{name}", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, mermaid[r.PathValue("name")])
	})
	mux.HandleFunc("/result", func(_ http.ResponseWriter, r *http.Request) {
		var v verdict
		if err := json.NewDecoder(r.Body).Decode(&v); err != nil {
			v.Failed = err.Error()
		}
		said <- v
	})
	server := httptest.NewServer(mux)
	defer server.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	var log bytes.Buffer
	browser := exec.CommandContext(ctx, "chromium", "--headless", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
		"--no-sandbox", // it may not run as root otherwise, and reads nothing but what is made here
		"--user-data-dir="+t.TempDir(), server.URL)
	browser.Stdout, browser.Stderr = &log, &log
	browser.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	browser.Cancel = func() error { return syscall.Kill(-browser.Process.Pid, syscall.SIGKILL) } // its children too
	browser.WaitDelay = 5 * time.Second
	if err := browser.Start(); err != nil {
		t.Fatalf("%v: testdata/tools browser installs it", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- browser.Wait() }()
	select {
	case v := <-said:
		cancel()
		<-ended
		return v
	case err := <-ended:
		t.Fatalf("chromium ended before it had measured: %v\n%s", err, log.String())
	}
	return verdict{}
}
