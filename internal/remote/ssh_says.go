package remote

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// How long a host is asked again that takes no login yet.
const (
	bootTime    = 2 * time.Minute  // until a host that boots is up
	refusalTime = 30 * time.Second // until sshd takes logins of an address again
)

const away = `it is not reachable from here (its ssh_address, a VPN, a firewall), or down: then write "status": "stopped" for it in the stack, or choose others by --host`

// A saying is something that a login may end with, what to do about it, and how long
// plonec tries again before anybody has to do it.
type saying struct {
	says, do string
	wait     time.Duration
	why      string // it is tried again
}

// sayings are those of ssh itself, sshd, PAM and the account's shell; the first that
// fits counts. sshd since 9.8 shuts an address out for some 20 s after a few logins that
// failed or did not come about (PerSourcePenalties), any sshd one of many logins at once
// (MaxStartups); a connection through a jump host ends so for the same reasons there.
var sayings = []saying{
	{"System is booting up", "wait until it has booted; where it does not come to an end: systemctl list-jobs there", bootTime, "the host is booting"},
	{"System is going down", "it shuts down: try again when it is up, or write \"status\": \"stopped\" for it in the stack", 0, ""},
	{"This account is currently not available", "the account has no shell: name one that has in plonec.ssh.user, or give it one there: usermod -s /bin/bash USER", 0, ""},
	{untrusted, "", 0, ""}, // see keyRemedy
	{"Too many authentication failures", "ssh offered more keys than sshd takes: IdentitiesOnly yes and IdentityFile for this host in ~/.ssh/config", 0, ""},
	{"Permission denied", "no key was accepted: see ssh-add -l, and plonec.ssh.user in the stack", 0, ""},
	{"Could not resolve", "see instances.HOST.ssh_address in the stack", 0, ""},
	{"administratively prohibited", "the jump host forwards nothing: AllowTcpForwarding yes in its sshd_config", 0, ""},
	{"Connection refused", "nothing listens there: is sshd up, is plonec.ssh.port right?", 0, ""},
	{"timed out", away, 0, ""},
	{"No route to host", away, 0, ""},
	{"Network is unreachable", away, 0, ""},
	{"exchange_identification: ", barred, refusalTime, "sshd takes no login from here for a while, after others that failed or came at once"},
	{"banner exchange: ", barred, refusalTime, "sshd takes no login from here for a while, after others that failed or came at once"},
}

const untrusted = "Host key verification failed"

const barred = "sshd there or on the jump host ends connections before a login: wait some minutes where others failed or many came at once from this address; else look there: journalctl -u ssh"

// remoteRemedies is the same of what has to be there for a program to be started on
// a host. What the program says is its own: the time-out of a git server is not
// the host's.
var remoteRemedies = []struct{ says, do string }{
	{"sudo: a password is required", "sudo asks for a password: let this user run it without (sudoers: USER ALL=(ALL) NOPASSWD: ALL)"},
	{"you must have a tty to run sudo", "sudo wants a terminal: take requiretty away for this user (sudoers: Defaults:USER !requiretty)"},
	{"is not in the sudoers file", "this user may not use sudo: let it (sudoers: USER ALL=(ALL) NOPASSWD: ALL)"},
	{"sudo: not found", "sudo is not installed there: apt-get install sudo"},
	{"sudo: command not found", "sudo is not installed there: apt-get install sudo"},
	{"rsync: command not found", "rsync is not installed there: apt-get install rsync"},
}

// ofKey finds whose key ssh does not take, a jump host's too: a name, or one in brackets
// and a port.
var ofKey = regexp.MustCompile(`(?:host key is known for|Host key for) (?:\[([^\]\s]+)\]:([0-9]+)|(\S+)) `)

// keyRemedy says how a host's key, of which ssh said that, gets to where ssh looks for it.
func (c *conn) keyRemedy(said string) string {
	host, port, file := c.host.SSHAddress, "", c.knownHosts
	if c.host.SSH.Port != 0 && c.host.SSH.Port != 22 {
		port = strconv.Itoa(c.host.SSH.Port)
	}
	if m := ofKey.FindStringSubmatch(said); m != nil && m[1]+m[3] != host { // of a jump host ssh asks the user's own file
		host, port, file = m[1]+m[3], m[2], ""
	}
	if !isAddress(host) {
		return "compare its fingerprint with that of its console, and see known_hosts"
	}
	name, at, missing := host, host, ""
	if port != "" {
		name, at = "'["+host+"]:"+port+"'", "-p "+port+" "+host
	}
	if file == "" {
		file = "~/.ssh/known_hosts"
	} else {
		if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
			missing = "; plonec.ssh.known_hosts names that file, which does not exist yet"
		}
		if dir, err := os.Getwd(); err == nil {
			if rel, err := filepath.Rel(dir, file); err == nil && filepath.IsLocal(rel) {
				file = rel
			}
		}
		if !plainPath.MatchString(file) {
			file = "'" + strings.ReplaceAll(file, "'", `'\''`) + "'"
		}
	}
	add := "ssh-keyscan -t ed25519 " + at + " >>" + file
	if strings.Contains(said, "has changed") {
		return "compare the key that it sends with that of its console; where the host was set up anew: ssh-keygen -R " + name + " -f " + file + "; " + add
	}
	return "host key unknown: " + add + ", once, and compare the fingerprint with that of the host's console; or give --accept-new for hosts that are new" + missing
}

// said is the saying in what ssh said; of none, an empty one.
func said(text string) saying {
	for _, s := range sayings {
		if strings.Contains(text, s.says) {
			return s
		}
	}
	return saying{}
}

// remedy says what to do about an error of ssh; remoteRemedy of one that came over it.
func remedy(text string) string {
	if s := said(text); s.do != "" {
		return s.do
	}
	return remoteRemedy(text)
}

func remoteRemedy(said string) string {
	for _, h := range remoteRemedies {
		if strings.Contains(said, h.says) {
			return h.do
		}
	}
	return ""
}
