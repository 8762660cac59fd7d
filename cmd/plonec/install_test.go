package main

import (
	"bytes"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/rhysd/actionlint"
	"go.yaml.in/yaml/v3"
)

// installing is the README's section and, in it, the commands.
var installingBlock = regexp.MustCompile("(?s)\n## Install\n.*?\n```sh\n(.*?)```\n")

// The README's commands are those of the files of init, with this release's number and place.
func TestReadmeInstalls(t *testing.T) {
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	lines, err := scaffoldData{}.Install(0)
	if err != nil {
		t.Fatal(err)
	}
	want := "PLONEC_RELEASE=" + release + "\nPLONEC_URL=${PLONEC_URL:-" + releasesURL + "}\n" + lines +
		"export PATH=\"$HOME/.local/bin:$PATH\"\nplonec --version\n"
	at := installingBlock.FindSubmatchIndex(text)
	if at == nil {
		t.Fatal("the README has no section Install with commands")
	}
	if got := string(text[at[2]:at[3]]); got != want {
		if !*update {
			t.Errorf("the README (rewrite it with -update) has\n%s\nwant\n%s", got, want)
		} else if err := os.WriteFile("../../README.md", bytes.Join([][]byte{text[:at[2]], text[at[3]:]}, []byte(want)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// The other way, with Go, in the place of the lines that fetch an archive; the Go that it
// names is that of go.mod.
func TestInstallsWithGo(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/ci.md")
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile("(?s)\n```sh go\n(.*?)```\n").FindSubmatch(text)
	if m == nil {
		t.Fatal("docs/ci.md does not say how it is done with Go")
	}
	f := newForge(t)
	f.variables = nil // nothing is fetched
	lines, err := scaffoldData{}.Install(10)
	if err != nil {
		t.Fatal(err)
	}
	const workflow = ".github/workflows/plonec.yml"
	changed := strings.ReplaceAll(string(f.read(workflow)), lines, regexp.MustCompile("(?m)^.").ReplaceAllString(string(m[1]), "          $0"))
	f.write(filepath.Join(f.dir, workflow), changed)
	f.commit("with Go")
	jobs := newActions(f, "refs/heads/main", push("main")).run()
	wantJobs(t, jobs, "check good", "deploy bad") // this host does nothing
	f.reached(jobs["deploy"])
	if strings.Contains(changed, "curl -fsSL") || strings.Count(changed, "go install \"") != 2 {
		t.Error("the lines were not replaced in both jobs")
	}
	mod, err := os.ReadFile("../../go.mod")
	version := regexp.MustCompile(`\ngo (\d+\.\d+)`).FindSubmatch(mod)
	if err != nil || version == nil || !bytes.Contains(text, []byte("`golang:"+string(version[1])+"`")) {
		t.Errorf("docs/ci.md names another Go than go.mod (%v)", err)
	}
}

// installer is one place's commands that install plonec, and the shells that may run them.
type installer struct {
	script string
	shells []string
}

// installers are the commands as the README and the files of init have them.
func installers(t *testing.T) map[string]installer {
	t.Helper()
	list := map[string]installer{}
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	if m := installingBlock.FindSubmatch(text); m != nil {
		list["README"] = installer{string(m[1]), []string{"sh", "bash", "zsh"}}
	}
	data := scaffoldData{Folder: ".", Tree: "build", Branch: "main", Release: release, URL: releasesURL, Checkout: pinnedCheckout, Image: pinnedImage}
	content := func(s scaffold) []byte {
		b, err := s.content(data)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	workflow, errs := actionlint.Parse(content(scaffolds["github"][0]))
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	for id, job := range workflow.Jobs {
		for _, step := range job.Steps {
			if run, ok := step.Exec.(*actionlint.ExecRun); ok && step.Name != nil && step.Name.Value == "Install plonec" {
				list["GitHub "+id] = installer{"PLONEC_RELEASE=" + workflow.Env.Vars["plonec_release"].Value.Value + "\n" + run.Run.Value, []string{"bash"}}
			}
		}
	}
	var jobs map[string]gitlabJob
	var file map[string]yaml.Node
	if err := yaml.Unmarshal(content(scaffolds["gitlab"][0]), &file); err != nil {
		t.Fatal(err)
	}
	jobs = map[string]gitlabJob{}
	for id, node := range file {
		var job gitlabJob
		if err := node.Decode(&job); err != nil {
			t.Fatal(err)
		}
		jobs[id] = job
	}
	list["GitLab"] = installer{"PLONEC_RELEASE=" + jobs[".plonec"].Variables["PLONEC_RELEASE"] + "\n" + strings.Join(jobs[".plonec"].BeforeScript, "\n"), []string{"sh", "bash"}}
	if len(list) != 4 {
		t.Fatalf("the commands were found in %d places: the README, two jobs of GitHub's, GitLab's", len(list))
	}
	return list
}

// install runs the commands where nothing but what they need is on the PATH, and returns
// the program that is there then, empty where there is none.
func (i installer) install(t *testing.T, shell string, variables map[string]string) (program, log string, good bool) {
	t.Helper()
	home, temp := t.TempDir(), t.TempDir()
	env := map[string]string{"HOME": home, "TMPDIR": temp, "PATH": "/usr/bin:/bin", "GITHUB_PATH": filepath.Join(home, "path")}
	maps.Copy(env, variables)
	args := []string{"-c", i.script}
	if shell != "zsh" { // which people type into
		args = []string{"-e", "-c", i.script}
	}
	c := exec.Command(shell, args...)
	c.Dir, c.Env = t.TempDir(), environ(env)
	out, err := c.CombinedOutput()
	for _, dir := range []string{c.Dir, temp} {
		if left, _ := os.ReadDir(dir); len(left) > 0 {
			t.Errorf("%s is left in %s", left[0].Name(), dir)
		}
	}
	program = filepath.Join(home, ".local/bin/plonec")
	if _, err := os.Stat(program); err != nil {
		program = ""
	}
	return program, string(out), err == nil
}

// installsFrom runs all commands with the archives in a folder, served on loopback as the
// place of releases has them; the plonec that arrives runs.
func installsFrom(t *testing.T, dist string) {
	t.Helper()
	server := httptest.NewServer(http.StripPrefix("/mirror/v"+release+"/", http.FileServer(http.Dir(dist))))
	defer server.Close()
	for name, i := range installers(t) {
		for _, shell := range i.shells {
			program, log, good := i.install(t, shell, map[string]string{"PLONEC_URL": server.URL + "/mirror"})
			if program == "" || !good {
				t.Errorf("%s, %s: not installed:\n%s", name, shell, log)
				continue
			}
			wantText(t, log, archiveName+".tar.gz: OK\n", "plonec "+release+", ")
			command(t, t.TempDir(), nil, program, "build", filepath.Join(sources(t), "examples/zeo/stack.json"), "-o", "build")
		}
	}
}

// What is not there, or is not what its checksum says, is not installed, in no shell and by
// no file; a plonec that was there stays.
func TestInstallRefuses(t *testing.T) {
	t.Parallel()
	good := archiveOf([]byte("#!/bin/sh\necho plonec\n"))
	archive, sums := good[archiveName+".tar.gz"], good["SHA256SUMS"]
	other := bytes.Clone(archive)
	other[len(other)/2] ^= 1
	sum, _, _ := strings.Cut(string(sums), " ")
	const noSums, noArchive = "no SHA256SUMS could be fetched from ", "no " + archiveName + ".tar.gz could be fetched from "
	for _, c := range []struct {
		what   string
		served map[string][]byte
		pinned string
		says   string // empty: it is installed
	}{
		{"nothing", nil, "", noArchive},
		{"no checksums", map[string][]byte{archiveName + ".tar.gz": archive}, "", noSums},
		{"checksums of others", map[string][]byte{archiveName + ".tar.gz": archive, "SHA256SUMS": []byte(sum + "  plonec-0.0.1.tar.gz\n")}, "", "does not have the checksum"},
		{"another archive", map[string][]byte{archiveName + ".tar.gz": other, "SHA256SUMS": sums}, "", "does not have the checksum"},
		{"half an archive", map[string][]byte{archiveName + ".tar.gz": archive[:len(archive)/2], "SHA256SUMS": sums}, "", "does not have the checksum"},
		{"another than is pinned", good, strings.Repeat("0", 64), "does not have the checksum"},
		{"what is pinned, among checksums that lie", map[string][]byte{archiveName + ".tar.gz": archive, "SHA256SUMS": []byte("0")}, sum, ""},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if text, ok := c.served[strings.TrimPrefix(r.URL.Path, "/v"+release+"/")]; ok {
				_, _ = w.Write(text)
				return
			}
			w.WriteHeader(http.StatusNotFound)
		}))
		address := strings.TrimPrefix(server.URL, "http://")
		for name, i := range installers(t) {
			for _, shell := range i.shells {
				program, log, good := i.install(t, shell, map[string]string{"PLONEC_URL": "http://me:hunter2@" + address, "PLONEC_SHA256": c.pinned})
				if c.says == "" && (program == "" || !good) || c.says != "" && (program != "" || good && name != "README") {
					t.Errorf("%s, %s, %s: installed %q, %v:\n%s", c.what, name, shell, program, good, log)
				}
				if c.says != "" {
					wantText(t, log, "plonec: not installed: ", c.says)
				}
				if strings.Contains(c.says, "fetched") {
					wantText(t, log, " from "+address+"/v"+release+": set PLONEC_URL to a place that has it, or run go install ./cmd/plonec in a checkout of plonec\n")
				}
				if strings.Contains(log, "hunter2") {
					t.Errorf("%s, %s, %s prints a password:\n%s", c.what, name, shell, log)
				}
			}
		}
		server.Close()
	}
}
