package main

import (
	"fmt"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"
)

func versionCommand(_ *verb, c *cobra.Command) {
	c.Short = "print which plonec this is"
	c.Long = "Version prints the release and what this program was built from."
	c.Example = "  plonec version"
	c.RunE = func(c *cobra.Command, _ []string) error {
		_, err := fmt.Fprintln(c.OutOrStdout(), "plonec "+versionText())
		return err
	}
}

func versionText() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return release
	}
	return describe(info)
}

// describe is the release and, from what Go wrote into the program, whether it
// is that release itself: built from its tag, or else devel, with the commit.
func describe(info *debug.BuildInfo) string {
	set := map[string]string{}
	for _, s := range info.Settings {
		set[s.Key] = s.Value
	}
	parts := []string{release}
	if info.Main.Version != "v"+release {
		parts = append(parts, "devel")
	}
	if commit := set["vcs.revision"]; commit != "" {
		parts = append(parts, "commit "+commit[:min(12, len(commit))])
	}
	if set["vcs.modified"] == "true" {
		parts = append(parts, "modified")
	}
	parts = append(parts, info.GoVersion)
	if set["GOOS"] != "" {
		parts = append(parts, set["GOOS"]+"/"+set["GOARCH"])
	}
	return strings.Join(parts, ", ")
}
