package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// arguments are what a verb takes behind its name.
type arguments struct {
	use      string                       // as help writes it; empty: it takes none
	what     string                       // in words, where there has to be one; empty: there need not
	most     int                          // how many there may be; 0: as many as one likes
	such     string                       // an example
	words    []string                     // they are among these; nil: whatever they are
	complete completer                    // each of them, but none after most; nil: with words
	all      bool                         // or there are none, and --all
	apps     func(args []string) []string // those of them that are apps; nil: none are
	hosts    bool                         // they are hosts
}

var (
	stackFiles      = arguments{use: "[STACK...]", such: "stack.json", complete: stackNames}
	attributeOrCode = arguments{use: "[ATTRIBUTE or CODE] [STACK...]", such: "plone_instances", complete: explained}
	oneFolder       = arguments{use: "[DIR]", most: 1, such: "ops", complete: folders}
	manFolder       = arguments{use: "DIR", what: "a folder", most: 1, such: "~/.local/share/man/man1", complete: folders}
	oneShell        = arguments{use: "SHELL", what: "a shell", most: 1, such: "bash", words: shells}
	someApps        = arguments{use: "[APP...]", such: "site", complete: apps, apps: allArgs}
	oneApp          = arguments{use: "APP", what: "one app", most: 1, such: "site", complete: apps, apps: allArgs}
	appCommand      = arguments{use: "APP -- COMMAND...", what: "an app, -- and a command", such: "site -- bin/client1 run fix.py", complete: firstApp, apps: func(args []string) []string { return args[:1] }}
	appsOrAll       = arguments{use: "APP... | --all", such: "site", complete: apps, all: true, apps: allArgs}
	someHosts       = arguments{use: "HOST...", what: "hosts", such: "app1", complete: inTree(hostNames), hosts: true}
	onOrOff         = arguments{use: "on | off", what: "a state", most: 1, such: "on", words: []string{"on", "off"}}
	recipe          = arguments{use: "NAME [APP...]", such: "pack", complete: recipes, apps: func(args []string) []string { return args[1:] }}
)

// allArgs is for verbs all of whose arguments are apps.
func allArgs(args []string) []string { return args }

// judge tells whether a verb can have these arguments.
func (a arguments) judge(v *verb, c *cobra.Command, args []string) error {
	as := "as in: " + v.example()
	switch {
	case a.use == "" && len(args) > 0:
		return fmt.Errorf("plonec %s takes no arguments, but was given %s; see plonec %s --help", v.name, strings.Join(args, " "), v.name)
	case a.words != nil && (len(args) != 1 || !slices.Contains(a.words, args[0])):
		return fmt.Errorf("plonec %s needs %s, one of %s, %s", v.name, a.what, strings.Join(a.words, ", "), as)
	case a.what != "" && len(args) == 0:
		return fmt.Errorf("plonec %s needs %s, %s", v.name, a.what, as)
	case a.what != "" && a.most > 0 && len(args) > a.most:
		return fmt.Errorf("plonec %s needs %s and was given %s, not %s", v.name, a.what, strings.Join(args, " "), as)
	case !a.all:
		return nil
	}
	switch all, _ := c.Flags().GetBool("all"); {
	case len(args) == 0 && !all:
		return fmt.Errorf("name an app, or give --all, %s", as)
	case len(args) > 0 && all:
		return fmt.Errorf("name apps or give --all, not both: plonec %s was given --all and %s", v.name, strings.Join(args, " "))
	}
	return nil
}

// saysNothing refuses what an empty variable of the shell leaves of a command line:
// -o= would write into a folder of that name, --host= would take every host. What
// stands behind -- is somebody else's.
func saysNothing(c *cobra.Command, args []string) (err error) {
	c.Flags().Visit(func(f *pflag.Flag) {
		what := "--" + f.Name
		switch list, isList := f.Value.(pflag.SliceValue); {
		case f.Shorthand != "" && f.Value.String() == "=": // pflag takes -o= for -o "="
			what = "-" + f.Shorthand
		case isList && (len(list.GetSlice()) == 0 || slices.Contains(list.GetSlice(), "")):
		case f.Value.Type() == "string" && f.Value.String() == "":
		default:
			return
		}
		err = fmt.Errorf("%s is empty: check the shell variable", what)
	})
	if own := c.ArgsLenAtDash(); own >= 0 {
		args = args[:own]
	}
	if err == nil && slices.Contains(args, "") {
		err = errors.New("an argument is empty: check the shell variable")
	}
	return err
}
