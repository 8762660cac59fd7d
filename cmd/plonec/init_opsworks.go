package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/pflag"

	"github.com/plonec/plonec/internal/diag"
	"github.com/plonec/plonec/internal/draft"
	"github.com/plonec/plonec/internal/git"
	"github.com/plonec/plonec/internal/input"
	"github.com/plonec/plonec/internal/opsworks"
	"github.com/plonec/plonec/internal/terminal"
	"github.com/plonec/plonec/internal/words"
)

// initFromOpsWorks writes a stack made of OpsWorks' JSON: the body of plonec
// init --from-opsworks FILE... [DIR], of which from are the flag's values and args
// the arguments. Nothing that is there is overwritten, and either everything is
// written or nothing.
func initFromOpsWorks(out *reporter, from, args []string) error {
	names, dir, err := opsworksArguments(from, args)
	if err != nil {
		return err
	}
	files, list := opsworksFiles(names)
	var m *opsworks.Migration
	if list.Errors() == 0 {
		var more diag.List
		m, more = opsworks.Convert(files)
		list = append(list, more...)
	}
	if m == nil {
		return out.finish(list, "nothing written", result{})
	}
	written, err := writeNew(dir, migrationFiles(m))
	if err != nil {
		return err
	}
	if out.json {
		return out.finish(m.Left, "", result{Hosts: m.Report.Hosts, Added: written})
	}
	printMigration(out.stdout, dir, m)
	if len(m.Left) > 0 {
		return errors.New("the stack is written, and plonec check does not take it yet: see the first of the list above")
	}
	return nil
}

// opsworksFiles reads the named files; "-" is standard input.
func opsworksFiles(names []string) ([]*diag.File, diag.List) {
	var files []*diag.File
	var list diag.List
	for i, name := range names {
		f := &diag.File{Name: name, Order: i}
		var err error
		if name == "-" {
			f.Content, err = io.ReadAll(io.LimitReader(os.Stdin, input.MaxBytes+1))
		} else {
			f.Content, err = os.ReadFile(name)
		}
		if err != nil {
			message := err.Error()
			if pe := (*os.PathError)(nil); errors.As(err, &pe) {
				message = pe.Err.Error()
			}
			list.Add(diag.Diagnostic{Code: "no-file", Span: diag.Span{File: f}, Message: "it cannot be read: " + message})
		}
		files = append(files, f)
	}
	return files, list
}

// A newFile is one that a command makes and that must not be there before.
type newFile struct {
	name string // relative to the folder
	data []byte
	mode os.FileMode
}

// migrationFiles are what a migration writes, the stack last: where it is, all
// else is too.
func migrationFiles(m *opsworks.Migration) []newFile {
	var files []newFile
	if len(m.Secrets) > 0 {
		files = append(files, newFile{filepath.Join(draft.SecretsDir, ".gitignore"), []byte("# Written by plonec: nothing in this folder belongs into git.\n*\n"), 0o644})
	}
	for _, s := range m.Secrets {
		if !s.Withheld {
			files = append(files, newFile{filepath.Join(draft.SecretsDir, s.Name), []byte(s.Value + "\n"), 0o600})
		}
	}
	return append(files, newFile{opsworks.ReportFile, []byte(m.Markdown()), 0o644}, newFile{draft.StackFile, m.Stack, 0o644})
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

// printMigration says what was written, what is left to decide, and what to do next.
func printMigration(w io.Writer, dir string, m *opsworks.Migration) {
	r := &m.Report
	for _, s := range r.Sources {
		fmt.Fprintf(w, "read     %s\n", terminal.Printable(s))
	}
	at := func(name string) string { return terminal.Printable(filepath.Join(dir, name)) }
	fmt.Fprintf(w, "wrote    %s: %s\n", at(draft.StackFile), r.Contents())
	fmt.Fprintf(w, "wrote    %s: %d changed, %d left out, each with its reason\n", at(opsworks.ReportFile), len(r.Changed), len(r.Dropped))
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

// fromOpsWorksFlag adds --from-opsworks to plonec init.
func fromOpsWorksFlag(flags *pflag.FlagSet, files *[]string) {
	flags.StringSliceVar(files, "from-opsworks", nil, "make the stack from OpsWorks' JSON in `FILE`; more files may follow")
}

// opsworksArguments sorts the arguments of plonec init --from-opsworks: files
// join those that the flag names, as in --from-opsworks *.json; what is no file
// is the folder to write to.
func opsworksArguments(files, args []string) (all []string, dir string, err error) {
	for _, a := range args {
		st, err := os.Stat(a)
		switch {
		case a == "-" || err == nil && st.Mode().IsRegular() || filepath.Ext(a) == ".json" || filepath.Ext(a) == ".template":
			files = append(files, a)
		case dir != "":
			return nil, "", fmt.Errorf("one folder to write to, not two: %s and %s", dir, a)
		default:
			dir = a
		}
	}
	return files, cmp.Or(dir, "."), nil
}
