package remote

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"github.com/plonec/plonec/internal/diag"
	"github.com/plonec/plonec/internal/input"
	"github.com/plonec/plonec/internal/remote/remotetest"
	"github.com/plonec/plonec/internal/tree"
	"github.com/plonec/plonec/schema"
)

// What ssh said where a login failed is shown from its beginning to its end, and
// nothing of it reaches a terminal.
func TestWordsOfAFailedLogin(t *testing.T) {
	c := &conn{said: &tail{}}
	if err := c.refused(); err.Error() != "ssh : ssh ended without an error message" {
		t.Error(err)
	}
	fmt.Fprint(c.said, "\x1b[2J\x1b]0;title\a*** not for you ***\r\n\n")
	for i := range 20 {
		fmt.Fprintf(c.said, "line %d %s\r\n", i, strings.Repeat("long ", 25))
	}
	fmt.Fprint(c.said, "root@app1: Permission denied (publickey).\r\n")
	err := c.refused()
	lines := strings.Split(err.Error(), "\n")
	if len(lines) != 10 || lines[0] != `ssh : \x1b[2J\x1b]0;title\x07*** not for you ***` || lines[3] != "(13 more lines)" || lines[9] != "root@app1: Permission denied (publickey)." {
		t.Errorf("got %q", lines)
	}
	if strings.ContainsFunc(strings.ReplaceAll(err.Error(), "\n", ""), unicode.IsControl) || len(err.Error()) > 1000 {
		t.Errorf("%d bytes: %q", len(err.Error()), err)
	}
	if _, hint := diag.Remedy(err); !strings.HasPrefix(hint, "no key was accepted") {
		t.Errorf("the hint is %q", hint)
	}
}

// ssh and rsync do not get the variables that references to secrets name: the
// user's SendEnv could send them to a host.
func TestProgramsGetNoSecrets(t *testing.T) {
	home, err := os.MkdirTemp(t.TempDir(), "environment")
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{"HOME": home, "DB_PASSWORD": "hunter22", "SOPS_AGE_KEY": "AGE-SECRET-KEY-1", "AWS_PROFILE": "prod"} {
		t.Setenv(name, value)
	}
	h := newHost(t, func([]string) remotetest.Reply { return remotetest.Reply{} }, tree.Secret{
		Host: "elsewhere", Path: "/x", Format: "raw", Entries: []tree.SecretEntry{{Source: "env:DB_PASSWORD"}},
	})
	if err := h.Rsync(context.Background(), []string{t.TempDir()}, "/x", ""); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"ssh", "rsync"} {
		text, err := os.ReadFile(filepath.Join(home, name))
		if err != nil {
			t.Fatal(err)
		}
		if got := string(text); strings.Contains(got, "hunter22") || strings.Contains(got, "AGE-SECRET") || !strings.Contains(got, "AWS_PROFILE=prod") {
			t.Errorf("%s gets\n%s", name, got)
		}
	}
}

// One name is one file.
func TestKnownHostsOption(t *testing.T) {
	for file, want := range map[string]string{
		"/srv/known_hosts":         `UserKnownHostsFile="/srv/known_hosts"`,
		"/srv/our hosts/100%h $ x": `UserKnownHostsFile="/srv/our hosts/100%%h $ x"`,
		`/srv/a" "/tmp/b`:          "",
		"/srv/${HOME}":             "",
		`/srv/a\b`:                 "",
		"/srv/a\nb":                "",
	} {
		if got, err := knownHosts(file); got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %s, %v", file, got, err)
		}
	}
}

// The sockets' folder is one that ssh reads as it is, whatever TMPDIR says.
func TestSocketsFolder(t *testing.T) {
	for _, name := range []string{"plain", "two words", "100%h", "it's", "${HOME}"} {
		tmp := filepath.Join(t.TempDir(), name)
		if err := os.Mkdir(tmp, 0o700); err != nil {
			t.Fatal(err)
		}
		t.Setenv("TMPDIR", tmp)
		d, err := NewDialer(&tree.Disk{Manifest: &tree.Manifest{}}, Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		socket := filepath.Join(d.dir, "1")
		out, err := exec.Command("ssh", "-F", "none", "-G", "-o", "ControlPath="+socket, "host").CombinedOutput()
		if err != nil || !strings.Contains(string(out), "controlpath "+socket+"\n") {
			t.Errorf("%s: ssh takes %s otherwise: %v\n%.200s", name, socket, err, out)
		}
	}
}

// Whatever stands where ssh takes an address, it is never an option.
// Whatever address a stack may have is one to connect to.
func TestAddressesOfStacks(t *testing.T) {
	good := 0
	for _, address := range []string{"10.0.0.1", "app1", "app1.example.com", "1.a", "fd00::1", "fd00::", "::1", "::", "FD00::A", "fd00:0:0:0:0:0:0:0", "-oX", "a b", "fd00::%eth0", "a:22", "[fd00::]"} {
		stack := fmt.Sprintf(`{"instances": {"a": {"layers": ["lb"], "address": "10.0.0.1", "ssh_address": %q}}}`, address)
		text, _ := input.ReadJSON(&diag.File{Name: "stack.json", Content: []byte(stack)})
		_, diags := schema.Load(text)
		if takes := diags.Errors() == 0; takes != isAddress(address) {
			t.Errorf("%q: check takes it is %v, and so to connect to it is %v", address, takes, !takes)
		} else if takes {
			good++
		}
	}
	if good < 5 {
		t.Errorf("a stack takes %d of the addresses", good)
	}
}

func TestHostName(t *testing.T) {
	for name, good := range map[string]bool{
		"10.0.0.1": true, "app1.example.com": true, "fd00::1": true, "-oProxyCommand=id": false, "a b": false, "": false, "a;id": false,
	} {
		if isAddress(name) != good {
			t.Errorf("%q", name)
		}
	}
}
