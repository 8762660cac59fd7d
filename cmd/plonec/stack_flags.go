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

// compiling is the body of a command that compiles a stack and then does
// something with it. Where the stack has errors it reports them and ends;
// outcome says what they prevented.
func (f *stackFlags) compiling(v *verb, outcome string, do func(*reporter, *compile.Built, diag.List) error) func(*cobra.Command, []string) error {
	return func(c *cobra.Command, args []string) error {
		out := newReporter(c, v.format)
		built, diags, err := compile.Stack(args, &f.Options)
		if err != nil {
			return out.fail(err)
		}
		if files, err := compile.StackFiles(args, &f.Options); err == nil && out.sarif != nil {
			out.sarif.Stack = files[0]
		}
		if built == nil {
			return out.finish(diags, outcome, result{})
		}
		return out.fail(do(out, built, diags))
	}
}
