// Package child says which of plonec's own variables the programs get that it
// starts. ssh sends variables to a host where the user's configuration says
// SendEnv, and rsync and a ProxyCommand start programs of their own: none of them
// needs a secret that is in the environment so that plonec can resolve a reference. What git gets is internal/git's to say.
package child

import (
	"os"
	"slices"
	"strings"
)

// own begin the names of variables that are plonec's, or that hold the keys of
// what decrypts secrets.
var own = []string{"PLONEC_", "SOPS_", "AGE_"}

// needed are names that a reference to a secret does not hide: without them no
// program finds its files, its agent or its terminal.
var needed = []string{
	"HOME", "LANG", "LANGUAGE", "LOGNAME", "PATH", "SHELL", "SSH_AGENT_PID", "SSH_AUTH_SOCK", "TERM", "TMPDIR", "USER",
	"XDG_CONFIG_HOME", "XDG_RUNTIME_DIR",
}

// Environ is the environment of ssh and rsync: all of plonec's, less its own
// variables and those of the names, which references to secrets have. What else
// there is stays, since a ProxyCommand may need it (AWS_PROFILE).
func Environ(secrets []string) []string {
	return slices.DeleteFunc(os.Environ(), func(pair string) bool {
		name, _, _ := strings.Cut(pair, "=")
		return !slices.Contains(needed, name) &&
			(slices.Contains(secrets, name) || slices.ContainsFunc(own, func(p string) bool { return strings.HasPrefix(name, p) }))
	})
}
