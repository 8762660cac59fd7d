package child

import (
	"slices"
	"testing"
)

func TestEnvironments(t *testing.T) {
	for _, name := range []string{
		"DB_PASSWORD", "PLONEC_AGE_IDENTITY", "PLONEC_KEY", "SOPS_AGE_KEY", "AGE_IDENTITY", "AWS_PROFILE", "SSH_AUTH_SOCK", "LC_ALL", "GIT_SSH_COMMAND",
	} {
		t.Setenv(name, "x")
	}
	// A reference cannot take away what every program needs.
	ssh, git := Environ([]string{"DB_PASSWORD", "SSH_AUTH_SOCK"}), Git()
	for name, want := range map[string][2]bool{ // whether ssh and git get it
		"DB_PASSWORD": {}, "PLONEC_AGE_IDENTITY": {}, "PLONEC_KEY": {}, "SOPS_AGE_KEY": {}, "AGE_IDENTITY": {},
		"AWS_PROFILE": {true, false}, "SSH_AUTH_SOCK": {true, true}, "LC_ALL": {true, true}, "GIT_SSH_COMMAND": {true, true},
	} {
		if got := [2]bool{slices.Contains(ssh, name+"=x"), slices.Contains(git, name+"=x")}; got != want {
			t.Errorf("%s: ssh and git get it: %v, want %v", name, got, want)
		}
	}
}
