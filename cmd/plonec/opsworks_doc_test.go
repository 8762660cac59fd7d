package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/plonec/plonec/internal/input"
	"github.com/plonec/plonec/schema"
)

// fenced is a block of Markdown: what it is, and its text.
var fenced = regexp.MustCompile("(?ms)^```([a-z ]+)\n(.*?)^```")

// The commands of the migration guide, one after the other, in the folder that
// they make. aws prints testdata/opsworks; hosts refuse connections: what is meant
// for them ("sh hosts") has to come that far, and no further. What copies data
// ("sh data") runs with programs that only write down what they were asked.
func TestMigrationGuide(t *testing.T) {
	text, err := os.ReadFile("../../docs/opsworks.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"bash", "git", "ssh-keygen"} {
		if _, err := exec.LookPath(name); err != nil {
			t.Fatal(err) // testdata/tools says what the tests need
		}
	}
	outputs, err := filepath.Abs("../../testdata/opsworks")
	if err != nil {
		t.Fatal(err)
	}
	dir, bin, asked := t.TempDir(), t.TempDir(), filepath.Join(t.TempDir(), "asked")
	write := func(name, text string, mode os.FileMode) {
		if err := os.WriteFile(name, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
	}
	write(filepath.Join(bin, "aws"), "#!/bin/sh\ntest \"$1 $3 $4 $5 $6\" = 'opsworks --stack-id ID --output json' || test \"$1 $3 $4\" = 'opsworks --output json' || exit 2\ncat \""+outputs+"/${2#describe-}.json\"\n", 0o755)
	for _, name := range []string{"ssh", "ssh-keyscan"} {
		write(filepath.Join(bin, name), "#!/bin/sh\necho 'ssh: connect to host: Connection refused' >&2\nexit 255\n", 0o755)
	}
	data := t.TempDir() // programs that write down what they were asked
	for _, name := range []string{"rsync", "chown"} {
		write(filepath.Join(data, name), "#!/bin/sh\necho \"${0##*/} $*\" >> \""+asked+"\"\n", 0o755)
	}
	key := filepath.Join(bin, "tls.key")
	write(key, "-----BEGIN PRIVATE KEY-----\nbm8=\n-----END PRIVATE KEY-----\n", 0o600)

	remote, config := t.TempDir(), filepath.Join(bin, "gitconfig")
	write(config, "[url \""+remote+"/\"]\n\tinsteadOf = https://git.example.com/\n", 0o600)
	state := filepath.Join(bin, "state") // where the shell is, from one block to the next
	write(state, "cd '"+dir+"'\n", 0o600)
	run := func(script string, path ...string) (string, error) {
		c := exec.Command("bash", "-c", "set -euo pipefail; . '"+state+"'\n"+script+"\n{ echo \"cd '$PWD'\"; declare -p HAPROXY_STATS_PASSWORD 2>/dev/null || true; } > '"+state+"'")
		c.Env = append(os.Environ(), "PATH="+strings.Join(append(path, bin, os.Getenv("PATH")), ":"), "STACK=ID", "PAYMENTS=a-made-up-token", "TLS_KEY="+key,
			"GIT_CONFIG_GLOBAL="+config, "GIT_AUTHOR_NAME=x", "GIT_AUTHOR_EMAIL=x@example.org", "GIT_COMMITTER_NAME=x", "GIT_COMMITTER_EMAIL=x@example.org")
		out, err := c.CombinedOutput()
		return string(out), err
	}
	if out, err := run("git init -q --bare -b main " + remote + "/stack.git"); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	ran := map[string]int{}
	for _, m := range fenced.FindAllStringSubmatch(string(text), -1) {
		kind, block := m[1], m[2]
		ran[kind]++
		switch kind {
		case "sh":
			if out, err := run(block); err != nil || strings.Contains(out, "error") {
				t.Fatalf("%v\n%s\n%s", err, block, out)
			}
		case "sh hosts":
			for line := range strings.Lines(block) {
				out, err := run(line)
				if err == nil || !strings.Contains(out, "Connection refused") {
					t.Errorf("%sdid not come as far as the hosts: %v\n%s", line, err, out)
				}
			}
		case "sh data":
			if out, err := run(block, data); err != nil {
				t.Errorf("%v\n%s\n%s", err, block, out)
			}
			if did, _ := os.ReadFile(asked); string(did) != block {
				t.Errorf("asked was\n%s", did)
			}
		case "cue":
			file := filepath.Join(t.TempDir(), "stack.cue")
			write(file, block, 0o600)
			read, diags := input.Load([]string{file}, input.Options{})
			if read.Tree == nil || diags.Errors() > 0 {
				t.Errorf("%+v\n%s", diags, block)
				continue
			}
			if _, diags := schema.Load(read.Tree); diags.Errors() > 0 {
				t.Errorf("%s\n%s", first(diags), block)
			}
		default:
			t.Errorf("nothing runs a block of %q", kind)
		}
	}
	for _, kind := range []string{"sh", "sh hosts", "sh data", "cue"} {
		if ran[kind] == 0 {
			t.Errorf("there is no block of %q", kind)
		}
	}
	for _, made := range []string{"stack.cue", "MIGRATION.md", "build/manifest.json", "secrets/site.ssh_key"} {
		if _, err := os.Stat(filepath.Join(dir, "town", made)); err != nil {
			t.Error(err)
		}
	}
	if out, err := run("git ls-files secrets; git status --short"); err != nil || out != "" {
		t.Errorf("git: %v %s", err, out)
	}
}
