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
	"github.com/plonec/plonec/internal/input"
	"github.com/plonec/plonec/internal/opsworks"
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
	about := fmt.Sprintf("%d changed, %d left out, each with its reason", len(m.Report.Changed), len(m.Report.Dropped))
	return writeDraft(out, dir, m, opsworks.ReportFile, about)
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
