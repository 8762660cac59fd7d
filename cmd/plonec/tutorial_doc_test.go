package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// counted are numbers of files.
var counted = regexp.MustCompile(`[0-9]+ (files|new)`)

// The commands of the tutorial, one after the other, in an empty directory.
// There are no hosts (e2e has some): ssh and ssh-keyscan find nobody, and what is for them
// ("sh hosts") has to come that far, and no further. What a block of
// "text" shows has been printed by the commands before it; -update puts the numbers of
// files right.
func TestTutorial(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/tutorial.md")
	if err != nil {
		t.Fatal(err)
	}
	top, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	bin, dir, remote := t.TempDir(), t.TempDir(), t.TempDir()
	write := func(name, text string, mode os.FileMode) {
		if err := os.WriteFile(name, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"ssh", "ssh-keyscan", "ssh-keygen"} {
		write(filepath.Join(bin, name), "#!/bin/sh\necho 'ssh: connect to host: Connection refused' >&2\nexit 255\n", 0o755)
	}
	state := filepath.Join(bin, "state") // where the shell is, from one block to the next
	write(state, "cd '"+dir+"'\n", 0o600)
	config := filepath.Join(bin, "gitconfig")
	write(config, "[user]\n\tname = x\n\temail = x@example.org\n[url \""+remote+"/\"]\n\tinsteadOf = https://git.example.com/\n", 0o600)
	run := func(script string) (string, error) {
		c := exec.Command("bash", "-c", "set -euo pipefail; . '"+state+"'\n"+script+"\n{ echo \"cd '$PWD'\"; declare -px STATS_PASSWORD 2>/dev/null || true; } > '"+state+"'")
		c.Env = append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"), "PLONEC="+top, "GIT_CONFIG_GLOBAL="+config, "GIT_CONFIG_NOSYSTEM=1")
		out, err := c.CombinedOutput()
		return string(out), err
	}
	if out, err := run("for r in buildout stack; do git init -q --bare -b main " + remote + "/$r.git; done"); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}

	ran, printed := map[string]int{}, ""
	for _, m := range fenced.FindAllStringSubmatch(string(text), -1) {
		kind, block := m[1], m[2]
		ran[kind]++
		switch kind {
		case "sh":
			if printed, err = run(block); err != nil || strings.Contains(printed, "error") {
				t.Fatalf("%v\n%s\n%s", err, block, printed)
			}
		case "sh hosts":
			for line := range strings.Lines(block) {
				if out, err := run(line); err == nil || !strings.Contains(out, "Connection refused") {
					t.Errorf("%sdid not come as far as the hosts: %v\n%s", line, err, out)
				}
			}
		case "json":
			if out, err := run("cat > stack.json <<'END'\n" + block + "END"); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
		case "text":
			rest := printed
			for line := range strings.Lines(block) {
				shown := strings.ReplaceAll(regexp.QuoteMeta(strings.TrimSuffix(line, "\n")), "…", ".*")
				if *update { // how many files a tree has changes with plonec
					shown = counted.ReplaceAllString(shown, "[0-9]+ $1")
				}
				at := regexp.MustCompile("(?m)^" + shown + "$").FindStringIndex(rest)
				if at != nil && *update && !strings.Contains(line, "…") {
					text = bytes.ReplaceAll(text, []byte(line), []byte(rest[at[0]:at[1]]+"\n"))
				}
				if at == nil {
					t.Errorf("%sis not in what is left of\n%s", line, printed)
					break
				}
				rest = rest[at[1]:]
			}
		default:
			t.Errorf("nothing runs a block of %q", kind)
		}
	}
	if *update {
		if err := os.WriteFile("../../docs/tutorial.md", text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, kind := range []string{"sh", "sh hosts", "json", "text"} {
		if ran[kind] == 0 {
			t.Errorf("there is no block of %q", kind)
		}
	}
	for name, from := range map[string]string{"buildout/cfg/base.cfg": "a buildout", "stack/stack.svg": "graph", "stack/build/hosts/app2/root/etc/plonec/host.env": "the added host"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Errorf("%s: %v", from, err)
		}
	}
	if out, err := run("git status --short; git -C " + remote + "/buildout.git log --format=%s main"); err != nil || out != "Whose buildout this is\nA buildout to start from\n" {
		t.Errorf("git: %v %s", err, out)
	}
	if out, err := run(`test ${#STATS_PASSWORD} = 24; ! grep -rlF -- "$STATS_PASSWORD" .`); err != nil {
		t.Errorf("the password is not set, or it is in %s", out)
	}
}
