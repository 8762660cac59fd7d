// Package child says which of plonec's own variables the programs get that it
// starts. ssh sends variables to a host where the user's configuration says
// SendEnv or a pattern of it matches, and git, rsync and a ProxyCommand start
// programs of their own: none of them needs a secret that is in the environment
// so that plonec can resolve a reference.
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
	return filtered(func(name string) bool {
		return slices.Contains(needed, name) ||
			!slices.Contains(secrets, name) && !slices.ContainsFunc(own, func(p string) bool { return strings.HasPrefix(name, p) })
	})
}

// Git is the environment of git, which is asked of files of this machine alone,
// before it is known which variables are secrets: what it needs, and nothing else.
func Git() []string {
	return filtered(func(name string) bool {
		return slices.Contains(needed, name) || strings.HasPrefix(name, "LC_") || strings.HasPrefix(name, "GIT_")
	})
}

func filtered(keep func(name string) bool) []string {
	return slices.DeleteFunc(os.Environ(), func(pair string) bool {
		name, _, _ := strings.Cut(pair, "=")
		return !keep(name)
	})
}
