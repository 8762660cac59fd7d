package main

import (
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/plonec/plonec/internal/compile"
	"github.com/plonec/plonec/internal/diag"
)

// stackFlags are the flags of every command that reads a stack.
type stackFlags struct {
	compile.Options
}

func (f *stackFlags) add(flags *pflag.FlagSet) {
	flags.StringVarP(&f.Tree, "tree", "o", "build", "folder of the compiled `tree`")
	f.addArguments(flags)
}

// addArguments adds what a stack in Jsonnet takes.
func (f *stackFlags) addArguments(flags *pflag.FlagSet) {
	f.Release = release
	flags.StringToStringVar(&f.ExtStr, "ext-str", nil, "Jsonnet's external variable `NAME=VALUE`")
	flags.StringToStringVar(&f.TLAStr, "tla-str", nil, "Jsonnet's top-level argument `NAME=VALUE`")
}

// judging is the body of a command that reads a stack and then does something with
// it. Where the stack has errors it reports them and ends; outcome says what they
// prevented.
func (f *stackFlags) judging(v *verb, outcome string, do func(*reporter, *compile.Judged, diag.List) error) func(*cobra.Command, []string) error {
	return func(c *cobra.Command, args []string) error {
		out := newReporter(c, v.format)
		var judged *compile.Judged
		text, diags, err := compile.Read(args, &f.Options)
		if text != nil {
			judged, diags, err = text.Judge()
		}
		if err != nil {
			return out.fail(err)
		}
		if files, err := compile.StackFiles(args, &f.Options); err == nil && out.sarif != nil {
			out.sarif.Stack = files[0]
		}
		if judged == nil {
			return out.finish(diags, outcome, result{})
		}
		return out.fail(do(out, judged, diags))
	}
}

// compiling is the same for one that renders it too, and needs no content.
func (f *stackFlags) compiling(v *verb, outcome string, do func(*reporter, *compile.Built, diag.List) error) func(*cobra.Command, []string) error {
	return f.judging(v, outcome, func(out *reporter, judged *compile.Judged, diags diag.List) error {
		built, more, err := judged.Render(nil)
		if err != nil {
			return err
		}
		if diags = append(diags, more...); built == nil {
			return out.finish(diags, outcome, result{})
		}
		return do(out, built, diags)
	})
}

// idle adds to what was reported of a stack what has no effect in it.
func idle(judged *compile.Judged, diags diag.List) (diag.List, error) {
	more, err := judged.Idle(diags)
	return append(diags, more...), err
}
