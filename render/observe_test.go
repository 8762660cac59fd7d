package render

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// inRoot runs a script that knows its places, with others of the test's.
func inRoot(t *testing.T, root, name, stdin string, args ...string) string {
	t.Helper()
	text, err := os.ReadFile("../templates/host/" + name)
	if err != nil {
		t.Fatal(err)
	}
	script := strings.ReplaceAll(string(text), "/var/lib/plonec", root+"/var/lib/plonec")
	cmd := exec.Command("/bin/bash", append([]string{"-c", script, "plonec"}, args...)...)
	cmd.Stdin = strings.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", name, err, out)
	}
	return string(out)
}

func sumOf(text string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(text))) }

// TestObserveHidesSecrets: what a host says of secrets is what they are to each
// other, and to what the pusher knows; of what somebody changed by hand it is
// how many lines.
func TestObserveHidesSecrets(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	put := func(path, text string) string {
		t.Helper()
		path = filepath.Join(root, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	const (
		env  = `OTHER="x"` + "\n" + `PLONEC_DSN="password=hunter22"` + "\n"
		next = `PLONEC_DSN="password=hunter23"` + "\n"
		hash = "qWAP7ZWnm.ulfj6gBbSRIl8QkaMO47XNbvCKj8eg5r3Suu5FkuxEh0EkRscecGNyWEs5Be.y.QS6Fg3Gn5bCR/"
		list = "userlist plonec\n    user stats password $6$plonec$" + hash + "\n"
	)
	secrets, users := put("secrets.env", env), put("users.cfg", list)
	conf, edited, foreign := put("conf", "a\nb\n"), put("edited", "a\nby hand: hunter24\n"), put("foreign", "hunter25\n")
	gone := put("gone", "hunter26\n")
	pending := put("var/lib/plonec/pending/site"+secrets, next)
	put("var/lib/plonec/confirmed", "generation=3\n")
	put("var/lib/plonec/gen/3/root"+edited, "a\nb\n")
	put("var/lib/plonec/gen/3/sources", "env\tnames\t"+secrets+"\n")
	live := ""
	for path, sum := range map[string]string{secrets: sumOf(env), users: sumOf(list), conf: sumOf("a\nb\n"), edited: sumOf("a\nb\n"), gone: sumOf("before")} {
		live += sum + "\t-\t" + path + "\n"
	}
	put("var/lib/plonec/live", live)

	observe := func(questions ...string) (map[string]string, string) {
		out := inRoot(t, root, "observe", strings.Join(append(questions, "end\n"), "\n"))
		said := map[string]string{} // KIND PATH
		for line := range strings.Lines(out) {
			f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
			switch f[0] {
			case "file":
				said["file "+f[4]] = f[1]
			case "live":
				said["live "+f[3]] = f[1]
			case "source", "differs", "dsn":
				said[f[0]+" "+f[2]] = f[1]
			case "waits", "text":
				said[f[0]+" "+f[1]] = f[2]
			}
		}
		for what, text := range map[string]string{
			"the sum of a secret": sumOf(env)[:8], "of one that waits": sumOf(next)[:8], "of users": sumOf(list)[:8], "of one that goes": sumOf("hunter26\n")[:8],
			"of its record": sumOf("before")[:8], "of a DSN": sumOf(next)[:8], "a hash": base64.StdEncoding.EncodeToString([]byte(hash))[:20],
			"what was edited": base64.StdEncoding.EncodeToString([]byte("a\nby hand"))[:12], "what is foreign": base64.StdEncoding.EncodeToString([]byte("hunter25"))[:8],
		} {
			if strings.Contains(out, text) {
				t.Errorf("%s is in\n%s", what, out)
			}
		}
		if strings.Contains(out, "hunter") || !strings.Contains(out, "\nend\t\n") {
			t.Errorf("it says\n%s", out)
		}
		return said, out
	}
	questions := []string{"secret " + secrets, "salts " + users, "sum " + conf, "text " + conf, "text " + edited, "text " + foreign, "dsn " + secrets, "dsn " + pending}
	hidden := func(sum string) string { return "~" + sumOf("n "+sum) }
	said, out := observe(append([]string{"nonce n"}, questions...)...)
	for key, want := range map[string]string{
		"file " + secrets:       hidden(sumOf(env)),
		"live " + secrets:       hidden(sumOf(env)),
		"waits /site" + secrets: hidden(sumOf(next)),
		"source " + secrets:     "names",
		"file " + users:         hidden(sumOf(list)),
		"text " + users:         base64.StdEncoding.EncodeToString([]byte("    user stats password $6$plonec$\n")),
		"file " + conf:          sumOf("a\nb\n"),
		"live " + conf:          sumOf("a\nb\n"),
		"text " + conf:          base64.StdEncoding.EncodeToString([]byte("a\nb\n")),
		"differs " + edited:     "2",
		"live " + gone:          hidden(sumOf("before")),
		"file " + gone:          hidden(sumOf("hunter26\n")),
		"dsn " + secrets:        hidden(sumOf(`PLONEC_DSN="password=hunter22"` + "\n")),
		"dsn " + pending:        hidden(sumOf(next)),
	} {
		if said[key] != want {
			t.Errorf("%s: %q, want %q in\n%s", key, said[key], want, out)
		}
	}

	// Without a nonce the host hides them by its own, another each time.
	first, _ := observe(questions...)
	second, _ := observe(questions...)
	if one, two := first["file "+secrets], second["file "+secrets]; one == two || one != first["live "+secrets] || two != second["live "+secrets] || !strings.HasPrefix(one, "~") {
		t.Errorf("first %v, then %v", first, second)
	}
}

// What waits to go is told as what waits to come is, and so is what runs there.
func TestObserveTellsOfServices(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	for name, text := range map[string]string{
		"confirmed": "generation=3\n", "removals/site": "/etc/systemd/system/x.service\n",
		"gen/3/services": "nginx.service nginx -\nx.service client site\n", "gen/3/facts": "setup=00\npackages=git nginx\n",
	} {
		path := root + "/var/lib/plonec/" + name
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	out := inRoot(t, root, "observe", "end\n")
	for _, line := range []string{
		"waits\t/site/etc/systemd/system/x.service\t", "service\tnginx.service\tnginx\t-", "service\tx.service\tclient\tsite", "packages\tgit nginx",
	} {
		if !strings.Contains(out, "\n"+line+"\n") {
			t.Errorf("no line %q in\n%s", line, out)
		}
	}
}

// Whether the kernel has IPv6 is told as it is here, and where its file is not there.
func TestObserveTellsOfIPv6(t *testing.T) {
	t.Parallel()
	const file = "/proc/net/if_inet6"
	text, err := os.ReadFile("../templates/host/observe")
	if err != nil || !strings.Contains(string(text), file) {
		t.Fatal(err)
	}
	here := "no"
	if _, err := os.Stat(file); err == nil {
		here = "yes"
	}
	for place, want := range map[string]string{file: here, t.TempDir(): "yes", "/nonexistent": "no"} {
		cmd := exec.Command("/bin/bash", "-c", strings.ReplaceAll(string(text), file, place))
		cmd.Stdin = strings.NewReader("end\n")
		if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "\nipv6\t"+want+"\n") {
			t.Errorf("%s: %v, no line ipv6 %s in\n%s", place, err, want, out)
		}
	}
}

// What stage brings notes where the values of secrets come from, and what plonec has
// decided.
func TestReceiveNotes(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	stage := root + "/var/lib/plonec/stage/s"
	if err := os.MkdirAll(stage+"/root", 0o755); err != nil {
		t.Fatal(err)
	}
	var list strings.Builder
	line := func(fields ...string) { list.WriteString(strings.Join(fields, "\t") + "\n") }
	line("secret", sumOf("A=1\n"), "0600", "root:root", "restart:x.service", "site", "/etc/plonec-test/secrets.env", "env", "names", base64.StdEncoding.EncodeToString([]byte("A=1\n")))
	line("gone", "-", "/etc/plonec-test/old")
	line("gone", "site", "/etc/systemd/system/x.service")
	line("service", "nginx.service", "nginx", "-")
	line("service", "x.service", "client", "site")
	line("leaves", "varnish.service")
	line("fact", "setup", "00")
	line("fact", "config:site", "01")
	inRoot(t, root, "receive", list.String(), "s")
	wanted := map[string]string{
		"sources":                          "env\tnames\t/etc/plonec-test/secrets.env\n",
		"manifest":                         sumOf("A=1\n") + "\t0600\troot:root\trestart:x.service\tsite\t/etc/plonec-test/secrets.env\n",
		"gone":                             "-\t/etc/plonec-test/old\nsite\t/etc/systemd/system/x.service\n",
		"services":                         "nginx.service nginx -\nx.service client site\n",
		"leaves":                           "varnish.service\n",
		"facts":                            "setup=00\nconfig:site=01\n",
		"root/etc/plonec-test/secrets.env": "A=1\n",
	}
	for name, want := range wanted {
		got, err := os.ReadFile(stage + "/" + name)
		if err != nil || string(got) != want {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	files, err := os.ReadDir(stage)
	if err != nil || len(files) != len(wanted) {
		t.Errorf("beside them there are %v, %v", files, err)
	}
}

// TestReceiveRefuses gives lists that no plonec sends.
func TestReceiveRefuses(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../templates/host/receive")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ line, says string }{
		{"file\t00\t0644\troot:root\t-\t../x\t/etc/a", "waits for something unknown"},
		{"file\t00\t0644\troot:root\t-\t/etc/a", "waits for something unknown"}, // as plonec 0.1 sent it
		{"gone\t../x\t/etc/a", "has no valid way of removal"},
		{"gone\t-\tetc/a", "has no valid way of removal"},
		{"service\ta b.service\tclient\t-", "is not a service"},
		{"service\ta.service\tclient\t../x", "is not a service"},
		{"leaves\ta b", "is not a unit"},
		{"fact\tconfig:../x\t00", "is not a fact"},
		{"other\t00", "is not a line of a list"},
	} {
		root := t.TempDir()
		if err := os.MkdirAll(root+"/var/lib/plonec/stage/s/root", 0o755); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command("/bin/bash", "-c", strings.ReplaceAll(string(text), "/var/lib/plonec", root+"/var/lib/plonec"), "plonec", "s")
		cmd.Stdin = strings.NewReader(c.line + "\n")
		if out, err := cmd.CombinedOutput(); err == nil || !strings.Contains(string(out), c.says) {
			t.Errorf("%q: %v\n%s", c.line, err, out)
		}
	}
}
