package remote

import "strings"

// remedies maps what ssh itself says to what to do about it.
var remedies = []struct{ says, do string }{
	{"Host key verification failed", "its key is not known, or is another than it was: add it to known_hosts (ssh-keyscan, after comparing the fingerprint), or --accept-new for hosts that are new"},
	{"Permission denied", "no key was accepted: see ssh-add -l, and plonec.ssh.user in the stack"},
	{"Could not resolve", "see instances.HOST.ssh_address in the stack"},
	{"Connection refused", "nothing listens there: is sshd up, is plonec.ssh.port right?"},
	{"timed out", "it is down or not reachable from here: give it another status in the stack, or choose others by --host"},
	{"No route to host", "it is down or not reachable from here: give it another status in the stack, or choose others by --host"},
}

// remoteRemedies is the same of what has to be there for a program to be started on
// a host. What the program says is its own: the time-out of a git server is not
// the host's.
var remoteRemedies = []struct{ says, do string }{
	{"sudo: a password is required", "sudo asks for a password: let this user run it without (sudoers: USER ALL=(ALL) NOPASSWD: ALL)"},
	{"sudo: not found", "sudo is not installed there"},
	{"sudo: command not found", "sudo is not installed there"},
	{"rsync: command not found", "rsync is not installed there: apt-get install rsync"},
}

// remedy says what to do about an error of ssh; remoteRemedy of one that came over it.
func remedy(said string) string {
	for _, h := range remedies {
		if strings.Contains(said, h.says) {
			return h.do
		}
	}
	return remoteRemedy(said)
}

func remoteRemedy(said string) string {
	for _, h := range remoteRemedies {
		if strings.Contains(said, h.says) {
			return h.do
		}
	}
	return ""
}
