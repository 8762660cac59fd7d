package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The commands of the ways from the Ansible playbook and from Swarm. Of an old server there
// is what the playbook's role writes, by the structure: testdata/projects/playbook. What
// copies data runs with programs that only write down what they were asked.
func TestMovingGuides(t *testing.T) {
	dir, bin := t.TempDir(), t.TempDir()
	asked, remote := filepath.Join(bin, "asked"), filepath.Join(bin, "buildout.git")
	write := func(name, text string, mode os.FileMode) {
		t.Helper()
		if err := os.WriteFile(name, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
	}
	old, err := filepath.Abs("../../testdata/playbook")
	if err != nil {
		t.Fatal(err)
	}
	write(filepath.Join(bin, "ssh"), "#!/bin/sh\ntest \"$1 $2 $3 $4\" = 'old tar -C /usr/local/plone-5.2/zeoserver' || exit 2\nshift 4\nexec tar -C '"+old+"' \"$@\"\n", 0o755)
	for _, name := range []string{"rsync", "chown"} {
		write(filepath.Join(bin, name), "#!/bin/sh\necho \"${0##*/} $*\" >> '"+asked+"'\n", 0o755)
	}
	config := filepath.Join(bin, "gitconfig")
	write(config, "[url \""+remote+"\"]\n\tinsteadOf = https://git.example.com/buildout.git\n", 0o600)
	cache := os.Getenv("PLONEC_TEST_CACHE") // where the tests have their virtualenvs
	if cache == "" {
		cache, _ = filepath.Abs("../../.cache")
	}
	run := func(script string) (string, error) {
		c := exec.Command("bash", "-euo", "pipefail", "-c", script)
		c.Dir = dir
		c.Env = append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"),
			"XDG_CACHE_HOME="+cache, "GIT_CONFIG_GLOBAL="+config, "GIT_AUTHOR_NAME=x", "GIT_AUTHOR_EMAIL=x@example.org", "GIT_COMMITTER_NAME=x", "GIT_COMMITTER_EMAIL=x@example.org")
		out, err := c.CombinedOutput()
		return string(out), err
	}
	if out, err := run("git init -q --bare -b main " + remote); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for guide, want := range map[string]string{"ansible": "sh json sh data", "swarm": "sh data"} {
		text, err := os.ReadFile("../../docs/" + guide + ".md")
		if err != nil {
			t.Fatal(err)
		}
		var kinds []string
		commands := "" // of all blocks: some leave the folder for those after them
		for _, m := range fenced.FindAllStringSubmatch(string(text), -1) {
			kind, block := m[1], m[2]
			kinds = append(kinds, kind)
			switch kind {
			case "json":
				write(filepath.Join(dir, "stack.json"), block, 0o644)
			case "sh":
				commands += block
			case "sh data":
				if out, err := run(block); err != nil {
					t.Errorf("%v\n%s\n%s", err, block, out)
				}
				if did, _ := os.ReadFile(asked); string(did) != block {
					t.Errorf("asked was\n%s", did)
				}
				os.Remove(asked)
			default:
				t.Errorf("nothing runs a block of %q", kind)
			}
		}
		if out, err := run(commands); err != nil || strings.Contains(out, "warning") {
			t.Errorf("%s: %v\n%s", guide, err, out)
		}
		for _, kind := range strings.Fields(want) {
			if !strings.Contains(strings.Join(kinds, " "), kind) {
				t.Errorf("%s has no block of %q", guide, kind)
			}
		}
	}
	// As the server had it, it does not fit.
	out, err := run("plonec check --buildout '" + old + "' stack.json")
	if err == nil || !strings.Contains(out, "[client_reserved], which stays a part, connects to 127.0.0.1:8100") || !strings.Contains(out, "beside-checkout") {
		t.Errorf("%v\n%s", err, out)
	}
}
