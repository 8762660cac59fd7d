package opsworks

import (
	"slices"
	"strings"

	"github.com/plonec/plonec/internal/draft"
	"github.com/plonec/plonec/internal/input"
	"github.com/plonec/plonec/schema"
)

// plain asks about each text that stands in the stack as it is, and so goes into
// git, although anything may have been written into it: variables that nothing
// takes for secrets, and pasted configuration.
func (c *converter) plain(a *schema.Attr, n *input.Node, path []string) {
	switch {
	case a == nil || a.Secret || n.Get("$secret") != nil || n.Kind == input.String && strings.TrimSpace(n.Text) == "":
	case a.Pasted():
		c.ask(show(path), "this text is in "+draft.StackFile+" as it is, and goes into git",
			`check whether it holds a secret; if so, make it a list with {"$secret": …} in place of those lines`)
	case strings.HasSuffix(a.Path, ".environment.<variable>"):
		c.ask(show(path), "its value is in "+draft.StackFile+" in plain text, and goes into git",
			`check whether it is a secret; if so, write {"$secret": …} in its place`)
	default:
		if a.Layered {
			a = schema.Root()
		}
		for _, f := range fieldsOf(n) {
			c.plain(a.Field(f.Key), f.Value, append(slices.Clip(path), f.Key))
		}
	}
}
