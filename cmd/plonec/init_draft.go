package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/plonec/plonec/internal/draft"
	"github.com/plonec/plonec/internal/git"
	"github.com/plonec/plonec/internal/terminal"
	"github.com/plonec/plonec/internal/words"
)

// writeDraft writes a stack and its report into a folder, and says what is left to do. Of
// the report about says what is in it. Nothing that is there is overwritten, and either
// everything is written or nothing.
func writeDraft(out *reporter, dir string, m *draft.Draft, report, about string) error {
	written, err := writeNew(dir, draftFiles(m, report))
	if err != nil {
		return err
	}
	if out.json {
		return out.finish(m.Left, "", result{Hosts: m.Report.Hosts, Added: written})
	}
	printDraft(out.stdout, dir, m, report, about)
	if len(m.Left) > 0 {
		return errors.New("the stack is written, and plonec check does not take it yet: see the first of the list above")
	}
	return nil
}

// A newFile is one that a command makes and that must not be there before.
type newFile struct {
	name string // relative to the folder
	data []byte
	mode os.FileMode
}

// draftFiles are what a draft is written as, the stack last: where it is, all
// else is too.
func draftFiles(m *draft.Draft, report string) []newFile {
	var files []newFile
	if len(m.Secrets) > 0 {
		files = append(files, newFile{filepath.Join(draft.SecretsDir, ".gitignore"), []byte("# Written by plonec: nothing in this folder belongs into git.\n*\n"), 0o644})
	}
	for _, s := range m.Secrets {
		if !s.Withheld {
			files = append(files, newFile{filepath.Join(draft.SecretsDir, s.Name), []byte(s.Value + "\n"), 0o600})
		}
	}
	return append(files, newFile{report, []byte(m.Markdown()), 0o644}, newFile{draft.StackFile, m.Stack, 0o644})
}

// writeNew writes files that are not there yet below dir, in their order, with
// folders of mode 0700. Where one cannot be written it takes all of them back.
// It returns their paths.
func writeNew(dir string, files []newFile) (written []string, err error) {
	var made []string // files and folders, in the order in which they were made
	defer func() {
		if err != nil {
			for i := len(made) - 1; i >= 0; i-- {
				os.Remove(made[i])
			}
			written = nil
		}
	}()
	for _, f := range files {
		path := filepath.Join(dir, f.name)
		if err := git.WritesThrough(path); err != nil {
			return nil, err
		}
		if _, err := os.Lstat(path); err == nil {
			return nil, fmt.Errorf("%s is there already: move it away, or name another folder; nothing is written", path)
		}
	}
	for _, f := range files {
		path := filepath.Join(dir, f.name)
		folders, err := makeFolders(filepath.Dir(path), dir)
		made = append(made, folders...)
		if err != nil {
			return nil, err
		}
		file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, f.mode)
		if err != nil {
			return nil, err
		}
		made, written = append(made, path), append(written, path)
		_, err = file.Write(f.data)
		if err := errors.Join(err, file.Close()); err != nil {
			return nil, err
		}
	}
	return written, nil
}

// makeFolders makes a folder and those above it that are not there: root as
// usual, those below it for their owner alone. It returns those it made.
func makeFolders(folder, root string) (made []string, err error) {
	if _, err := os.Stat(folder); err == nil {
		return nil, nil
	}
	if above := filepath.Dir(folder); above != folder {
		if made, err = makeFolders(above, root); err != nil {
			return made, err
		}
	}
	mode := os.FileMode(0o755)
	if rel, err := filepath.Rel(root, folder); err == nil && filepath.IsLocal(rel) && rel != "." {
		mode = 0o700
	}
	if err := os.Mkdir(folder, mode); err != nil {
		return made, err
	}
	return append(made, folder), nil
}

// printDraft says what was written, what is left to decide, and what to do next.
func printDraft(w io.Writer, dir string, m *draft.Draft, report, about string) {
	r := &m.Report
	for _, s := range r.Sources {
		fmt.Fprintf(w, "read     %s\n", terminal.Printable(s))
	}
	at := func(name string) string { return terminal.Printable(filepath.Join(dir, name)) }
	fmt.Fprintf(w, "wrote    %s: %s\n", at(draft.StackFile), r.Contents())
	fmt.Fprintf(w, "wrote    %s: %s\n", at(report), about)
	if n := len(m.Secrets); n > 0 {
		missing := 0
		for _, s := range m.Secrets {
			if s.Withheld {
				missing++
			}
		}
		line := fmt.Sprintf("wrote    %s: the values of %s, for you alone and not for git", at(draft.SecretsDir)+"/", words.Count(n-missing, "secret"))
		switch {
		case missing == n:
			line = fmt.Sprintf("wrote    %s: for %s that you have to write", at(draft.SecretsDir)+"/", words.Count(n, "secret"))
		case missing > 0:
			line += fmt.Sprintf("; %d more you have to write", missing)
		}
		fmt.Fprintln(w, line)
	}
	if lines := m.Decisions(); len(lines) > 0 {
		fmt.Fprintf(w, "\nLeft for you to decide (%d):\n", len(lines))
		for _, l := range lines {
			fmt.Fprintf(w, "  %s\n", terminal.PrintableLines(l))
		}
	}
	next := "plonec check; plonec build"
	if filepath.Clean(dir) != "." {
		next = "cd " + dir + "; " + next
	}
	fmt.Fprintf(w, "\nnext     %s\n", terminal.Printable(next))
}
