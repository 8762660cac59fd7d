package hosts

import (
	"context"
	"slices"
	"testing"

	"github.com/plonec/plonec/internal/secret"
	"github.com/plonec/plonec/internal/tree"
)

// Commands that give secrets may take long: they are a step of the run, which is told of.
// What is read at once is none.
func TestCommandsForSecretsAreAStep(t *testing.T) {
	t.Setenv("STATS_PASSWORD", "hunter2hunter2")
	for _, c := range []struct {
		source     string
		noCommands bool
		want       []string
	}{
		{"cmd:echo hunter2hunter2", false, []string{"started secrets", "finished secrets"}},
		{"cmd:echo hunter2hunter2", true, nil},
		{"env:STATS_PASSWORD", false, nil},
	} {
		f := newFakeHosts(t, map[string]string{"app1:/etc/x": "x"}, nil)
		f.fleet.secrets = &secret.Resolver{NoCommands: c.noCommands}
		f.fleet.tree.Disk.Manifest.Secrets = []tree.Secret{{Host: "app1", Path: "/etc/plonec/secret", Mode: "0600", Owner: "root:root", Format: "raw", Entries: []tree.SecretEntry{{Source: c.source}}}}
		before := len(f.told(Started, Finished))
		if err := f.fleet.resolve(context.Background()); err != nil {
			t.Fatal(err)
		}
		if got := f.told(Started, Finished)[before:]; !slices.Equal(got, c.want) {
			t.Errorf("%s, without commands %v: told %q, want %q", c.source, c.noCommands, got, c.want)
		}
	}
}
