package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// completionsWanted are command lines and what completes the last word: all of
// the words in want, and none of those in not.
var completionsWanted = []struct {
	line      string
	want, not []string
}{
	{"plonec expl", []string{"explain"}, nil},
	{"plonec explain hapr", []string{"haproxy"}, []string{"haproxy.fall"}},
	{"plonec explain haproxy.fa", []string{"haproxy.fall"}, []string{"haproxy.balance"}},
	{"plonec explain plone_instances.relstorage.db.na", []string{"plone_instances.relstorage.db.name"}, nil},
	{"plonec explain deploy.sit", []string{"deploy.site"}, nil},
	{"plonec explain deploy.site.keep", []string{"deploy.site.keep_releases"}, nil},
	{"plonec explain unknown-k", []string{"unknown-key"}, nil},
	{"plonec status --host lb", []string{"lb1"}, nil},
	{"plonec status --host lb1,db", []string{"lb1,db1"}, nil},
	{"plonec apply --layer zeo", []string{"zeoserver"}, []string{"lb"}},
	{"plonec drain app", []string{"app1", "app2"}, []string{"lb1", "db1"}},
	{"plonec drain app1 app", []string{"app2"}, []string{"app1"}},
	{"plonec deploy si", []string{"site"}, nil},
	{"plonec rollback dat", []string{"database"}, nil},
	{"plonec restart --tree build si", []string{"site"}, nil},
	{"plonec run varnish-pu", []string{"varnish-purge"}, nil},
	{"plonec plan --format mark", []string{"markdown"}, nil},
	{"plonec schema --format c", []string{"cue"}, nil},
	{"plonec build --format sa", []string{"sarif"}, nil},
	{"plonec init --format js", []string{"json"}, nil},
	{"plonec graph --format d", []string{"dot"}, nil},
	{"plonec build st", []string{"stack.json"}, nil},
	{"plonec rollback site dat", nil, []string{"database"}},
	{"plonec explain haproxy st", []string{"stack.json"}, nil},
	{"plonec explain --set haproxy.balance=so", []string{"haproxy.balance=source"}, nil},
	{"plonec completion fi", []string{"fish"}, nil},
	// Whatever the stack says, no value of it, and no secret of anywhere.
	{"plonec explain deploy.site.environment.", nil, []string{"TOKEN", "PLONEC_TEST_SECRET", "hunter2"}},
	{"plonec explain --set haproxy.stats_password=", nil, []string{"hunter2", "env:"}},
}

// TestCompletions drives real shells.
func TestCompletions(t *testing.T) {
	bin, dir := t.TempDir(), t.TempDir()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	script := "#!/bin/sh\nPLONEC_BENCH=plonec exec '" + program + "' \"$@\"\n"
	if err := os.WriteFile(filepath.Join(bin, "plonec"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	stack, err := os.ReadFile("../../examples/zeo/stack.json")
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Replace(string(stack), `"LANG": "C.UTF-8"`, `"TOKEN": "hunter2"`, 1)
	if err := os.WriteFile(filepath.Join(dir, "stack.json"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	var said strings.Builder
	if code := run([]string{"build", filepath.Join(dir, "stack.json"), "-o", filepath.Join(dir, "build")}, &said, &said); code != exitDone {
		t.Fatal(said.String())
	}
	var lines []string
	for _, c := range completionsWanted {
		lines = append(lines, c.line)
	}
	for _, shell := range []struct {
		name string
		args []string
	}{
		{"bash", []string{"--norc", "-c", bashDriver, "bash"}},
		{"fish", []string{"--no-config", "-c", fishDriver}},
		{"zsh", []string{"-f", "-c", zshDriver, "zsh"}},
	} {
		t.Run(shell.name, func(t *testing.T) {
			cmd := exec.Command(shell.name, append(shell.args, lines...)...)
			cmd.Dir = dir
			cmd.Env = append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"), "HOME="+dir, "PLONEC_TEST_SECRET=hunter2", "TERM=xterm", "LC_ALL=C.UTF-8")
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Fatalf("%v (make tools installs the shells)\n%s", err, out)
			}
			offers := strings.Split(string(out), "=END=")
			if len(offers) != len(lines)+1 {
				t.Fatalf("want %d answers, got %d:\n%s", len(lines), len(offers)-1, out)
			}
			for i, c := range completionsWanted {
				got := strings.Fields(strings.ReplaceAll(offers[i], `\,`, ",")) // bash quotes it
				for _, word := range c.want {
					_, afterEqual, _ := strings.Cut(word, "=") // where bash begins a word
					if !slices.Contains(got, word) && (afterEqual == "" || !slices.Contains(got, afterEqual)) {
						t.Errorf("%s: want %s, got %q", c.line, word, offers[i])
					}
				}
				for _, word := range c.not {
					if slices.Contains(got, word) && !slices.Contains(strings.Fields(c.line), word) { // zsh shows the line too
						t.Errorf("%s: got %s among %q", c.line, word, offers[i])
					}
				}
			}
		})
	}
}

// The drivers load what plonec completion prints, as a user does, and print
// the words that the shell offers for each line.
const (
	bashDriver = `source /usr/share/bash-completion/bash_completion
source <(plonec completion bash)
for COMP_LINE; do
	read -ra COMP_WORDS <<<"$COMP_LINE"
	COMP_POINT=${#COMP_LINE} COMP_CWORD=$((${#COMP_WORDS[@]} - 1)) COMPREPLY=()
	__start_plonec 2>/dev/null # compopt wants a terminal
	for word in "${COMPREPLY[@]}"; do echo "${word%% *}"; done
	echo =END=
done`

	fishDriver = `plonec completion fish | source
for line in $argv
	complete -C $line | string split --fields 1 \t
	echo =END=
end`

	// zsh completes in a terminal alone: its editor runs in one, TAB is pressed,
	// and what is listed below the line, or has been filled in, is read.
	zshDriver = `setopt extended_glob
zmodload zsh/zpty
zpty z 'zsh -f -i'
zpty -w z 'PS1=; LISTMAX=1000; unsetopt prompt_sp; autoload -Uz compinit; compinit -u -D; source <(plonec completion zsh); show() { print -r -- "<<$BUFFER>>"; BUFFER= }; zle -N show; bindkey "^T" show; print -r -- rea""dy'
zpty -r -m z out '*ready*'
for line; do
	zpty -w -n z "$line"$'\t\t\x14'
	zpty -r -m z out '*<<*>>*'
	print -r -- ${${out//$'\e'\[[0-9;?]#[A-Za-z]/ }//[<>]/ }
	print -r -- "=END="
done`
)
