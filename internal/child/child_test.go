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
	got := Environ([]string{"DB_PASSWORD", "SSH_AUTH_SOCK"})
	for name, want := range map[string]bool{
		"DB_PASSWORD": false, "PLONEC_AGE_IDENTITY": false, "PLONEC_KEY": false, "SOPS_AGE_KEY": false, "AGE_IDENTITY": false,
		"AWS_PROFILE": true, "SSH_AUTH_SOCK": true, "LC_ALL": true, "GIT_SSH_COMMAND": true,
	} {
		if slices.Contains(got, name+"=x") != want {
			t.Errorf("whether ssh gets %s: %v, want %v", name, !want, want)
		}
	}
}
