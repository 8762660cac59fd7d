package secret

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/plonec/plonec/internal/tree"
	"github.com/plonec/plonec/render"
)

// nasty are values that mean something to a reader on the way.
var nasty = []string{
	"plain", " ", "  two  ", `"`, `\`, `\\`, `\"`, `a\`, "$", "$HOME", "${HOME}", "$(id)", "`id`", "'", "#x", "; x", "a=b", "=", "%", "%h", "%%",
	"tab\tx", "é", "日本", "\u2028", "\u0085", "\ufeff", "!x", "*", "\\n", "***", "{", "}", "a:b", "-x", "",
}

func filled(t testing.TB, s tree.Secret, values ...string) File {
	t.Helper()
	f := File{Secret: s}
	for _, v := range values {
		f.values = append(f.values, NewValue(v))
	}
	return f
}

func bytesOf(t testing.TB, f File, existing string) string {
	t.Helper()
	data, err := f.Bytes([]byte(existing))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestRaw(t *testing.T) {
	for value, want := range map[string]string{
		"one line":         "one line",
		" blanks ":         " blanks ",
		"a\nb":             "a\nb\n",
		"a\nb\n":           "a\nb\n",
		"a\nb\n\n":         "a\nb\n",
		"a\r\nb\r\n":       "a\r\nb\n",
		"a\n\n\tb":         "a\n\n\tb\n",
		"\xff\xfe no text": "\xff\xfe no text",
	} {
		if got := bytesOf(t, filled(t, raw("a", "env:A"), value), ""); got != want {
			t.Errorf("%q: %q", value, got)
		}
		if wrong := unfit("raw", "env:A", value); wrong != nil {
			t.Errorf("%q: %v", value, wrong)
		}
	}
}

// A certificate and the chain of its issuers are two values of one file.
func TestRawPieces(t *testing.T) {
	s := entries("a", "raw", "", "env:A", "chain", "env:B")
	if got := bytesOf(t, filled(t, s, "one\ntwo", "three\nfour\n"), ""); malformed(s) != nil || got != "one\ntwo\nthree\nfour\n" {
		t.Errorf("%q, %v", got, malformed(s))
	}
}

func TestUnfit(t *testing.T) {
	for _, c := range []struct{ format, value, want string }{
		{"env", "a\nS3NT1NEL", "line break"},
		{"env", "a\rS3NT1NEL", "line break"},
		{"env", "a\x1bS3NT1NEL", "control character"},
		{"env", "a\x7fS3NT1NEL", "control character"},
		{"env", "a\xffS3NT1NEL", "UTF-8"},
		{"env", "tab\tx", ""},
		{"userlist", "a\nS3NT1NEL", "line break"},
		{"userlist", "a\tS3NT1NEL", "control character"},
		{"userlist", "a\u0085S3NT1NEL", "control character"},
		{"userlist", strings.Repeat("x", render.MaxPassword), ""},
		{"userlist", strings.Repeat("x", render.MaxPassword+1), "128 bytes"},
		{"userlist", `$\"'#: `, ""},
	} {
		wrong := unfit(c.format, "env:A", c.value)
		switch {
		case c.want == "" && wrong == nil:
		case wrong == nil || c.want == "" || !strings.Contains(wrong.message, c.want) || !strings.Contains(wrong.message, "env:A") || wrong.remedy == "":
			t.Errorf("%s %q: %+v", c.format, c.value, wrong)
		case strings.Contains(wrong.message+wrong.remedy, sentinel):
			t.Errorf("the value is shown: %+v", wrong)
		}
	}
}

// HAProxy's list of users is there without users too, so that its unit finds it.
func TestNoUsers(t *testing.T) {
	f := File{Secret: tree.Secret{Host: "h", Path: "/etc/haproxy/users.cfg", Format: "userlist"}}
	if data, err := f.Bytes(nil); err != nil || string(data) != "userlist plonec\n" || malformed(f.Secret) != nil {
		t.Errorf("%q %v", data, err)
	}
}

func TestMalformed(t *testing.T) {
	for _, s := range []tree.Secret{
		{Format: "raw"},
		{Format: "env"},
		{Format: "toml", Entries: []tree.SecretEntry{{Key: "A", Source: "env:A"}}},
		entries("a", "raw", "", "env:A", "", "env:B"),
		entries("a", "env", "A B", "env:A"),
		entries("a", "env", "", "env:A"),
		entries("a", "env", "A", "env:A", "A", "env:B"),
		entries("a", "userlist", "a b", "env:A"),
		entries("a", "userlist", "a\n    user b insecure-password b", "env:A"),
		entries("a", "raw", "", "env:A\x1b"),
	} {
		if malformed(s) == nil {
			t.Errorf("%+v was let through", s)
		}
		f := File{Secret: s, values: make([]Value, len(s.Entries))}
		if data, err := f.Bytes(nil); err == nil {
			t.Errorf("%+v was rendered: %q", s, data)
		}
	}
	short := filled(t, entries("a", "env", "A", "env:A", "B", "env:B"), "1")
	if _, err := short.Bytes(nil); err == nil {
		t.Error("a file without one of its values was rendered")
	}
}

// The program that runs the apps reads what is rendered.
func TestEnvAsAppsReadIt(t *testing.T) {
	s := entries("app1", "env")
	var values []string
	for i, v := range nasty {
		s.Entries = append(s.Entries, tree.SecretEntry{Key: fmt.Sprint("V", i), Source: "env:X"})
		values = append(values, v)
	}
	path := write(t, filepath.Join(t.TempDir(), "secrets.env"), bytesOf(t, filled(t, s, values...), ""), 0o600)
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	group, err := user.LookupGroupId(me.Gid)
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command("python3", "-I", "../../templates/host/as-user", "--env", path, "--", me.Username, group.Name, "/", "env", "-0")
	c.Stderr = os.Stderr
	out, err := c.Output()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for pair := range strings.SplitSeq(string(out), "\x00") {
		name, value, _ := strings.Cut(pair, "=")
		got[name] = value
	}
	for i, want := range values {
		if v, ok := got[fmt.Sprint("V", i)]; !ok || v != want {
			t.Errorf("%q was read as %q", want, v)
		}
	}
}

// pythonAssignment and pythonEscape are those of templates/host/as-user.
var (
	pythonAssignment = regexp.MustCompile("^([A-Za-z_][A-Za-z0-9_]*)=\"((?:[^\"\\\\`$]|\\\\[\"\\\\`$])*)\"\n")
	pythonEscape     = regexp.MustCompile(`\\(.)`)
)

func FuzzEnv(f *testing.F) {
	for _, s := range nasty {
		f.Add(s, "next")
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		if unfit("env", "env:A", a) != nil || unfit("env", "env:B", b) != nil {
			return
		}
		text := bytesOf(t, filled(t, entries("x", "env", "A", "env:A", "B", "env:B"), a, b), "")
		for _, want := range [][2]string{{"A", a}, {"B", b}} {
			m := pythonAssignment.FindStringSubmatch(text)
			if m == nil || m[1] != want[0] || pythonEscape.ReplaceAllString(m[2], "$1") != want[1] {
				t.Fatalf("%q was read as %q from %q", want, m, text)
			}
			text = text[len(m[0]):]
		}
		if text != "" {
			t.Errorf("%q is left", text)
		}
	})
}

func TestUserlist(t *testing.T) {
	if userlist != render.Userlist {
		t.Errorf("haproxy.cfg refers to %s", render.Userlist)
	}
	s := entries("lb1", "userlist", "stats", "env:A", "ops@example.com", "env:B")
	first := bytesOf(t, filled(t, s, "sesame", "other"), "")
	form := regexp.MustCompile(`^userlist plonec\n    user stats password \$6\$[A-Z2-7]{16}\$[./0-9A-Za-z]{86}\n    user ops@example.com password \$6\$[A-Z2-7]{16}\$[./0-9A-Za-z]{86}\n$`)
	if !form.MatchString(first) {
		t.Fatalf("%q", first)
	}
	if again := bytesOf(t, filled(t, s, "sesame", "other"), ""); again == first {
		t.Error("two salts are the same")
	}
	if same := bytesOf(t, filled(t, s, "sesame", "other"), first); same != first {
		t.Error("what fits is changed")
	}

	// One password changed: the other's hash stays.
	changed := filled(t, s, "sesame", "new")
	before, after := strings.Split(first, "\n"), strings.Split(bytesOf(t, changed, first), "\n")
	if before[1] != after[1] || before[2] == after[2] {
		t.Errorf("%q\n%q", before, after)
	}
	// A hash that openssl made is kept, in a file that somebody has edited.
	const made = "$6$plonec$qWAP7ZWnm.ulfj6gBbSRIl8QkaMO47XNbvCKj8eg5r3Suu5FkuxEh0EkRscecGNyWEs5Be.y.QS6Fg3Gn5bCR/"
	edited := "# by hand\nuserlist plonec\n    user stats password " + made + "\n    user gone password x\n"
	one := filled(t, entries("lb1", "userlist", "stats", "env:A"), "sesame")
	if got := bytesOf(t, one, edited); got != "userlist plonec\n    user stats password "+made+"\n" {
		t.Errorf("%q", got)
	}
	// What the host says of a hash is its salt: the rest is computed, and the salts
	// alone do as well.
	for _, bad := range []string{"groups x", "", "0"} {
		for _, said := range []string{made + " " + bad, made[:len(made)-1] + bad, made[:len("$6$plonec$")]} {
			if got := bytesOf(t, one, "userlist plonec\n    user stats password "+said+"\n"); got != "userlist plonec\n    user stats password "+made+"\n" {
				t.Errorf("%q: %q", said, got)
			}
		}
	}
	// Anything else is replaced, and a hash that would cost minutes is not tried.
	begin := time.Now()
	for _, bad := range []string{
		"    user stats password $6$rounds=999999999$plonec$" + made[len("$6$plonec$"):],
		"    user stats insecure-password sesame",
		"    user other password " + made,
		"    user stats password $5$plonec$" + made[len("$6$plonec$"):],
	} {
		got := bytesOf(t, one, "userlist plonec\n"+bad+"\n")
		if strings.Contains(got, "$plonec$") || strings.Contains(got, "sesame") {
			t.Errorf("%s was kept: %q", bad, got)
		}
	}
	if took := time.Since(begin); took > 5*time.Second {
		t.Errorf("it took %v", took)
	}
}

// passwords that HAProxy and openssl have to agree on.
var passwords = []string{"p", "sesame", `a "b" 'c' \ $d #e`, "pässwörd 日本", "a:b", strings.Repeat("0123456789abcdef", 4), strings.Repeat("x", 65), strings.Repeat("y", render.MaxPassword)}

func TestHashesAreThoseOfOpenssl(t *testing.T) {
	for _, password := range passwords {
		for _, salt := range []string{"x", "./0aZ", "0123456789abcdef"} {
			c := exec.Command("openssl", "passwd", "-6", "-salt", salt, "-stdin")
			c.Stdin = strings.NewReader(password + "\n")
			c.Stderr = os.Stderr
			out, err := c.Output()
			if err != nil {
				t.Fatal(err)
			}
			if got := sha512crypt(password, salt); got+"\n" != string(out) {
				t.Errorf("%q %s: %s, openssl %s", password, salt, got, out)
			}
		}
	}
}

// HAProxy takes the file, and lets in who has the password and nobody else.
func TestHAProxyChecksThePasswords(t *testing.T) {
	s := entries("lb1", "userlist")
	var values []string
	for i, p := range passwords {
		s.Entries = append(s.Entries, tree.SecretEntry{Key: fmt.Sprint("user", i), Source: "env:X"})
		values = append(values, p)
	}
	dir := t.TempDir()
	usersCfg := write(t, filepath.Join(dir, "users.cfg"), bytesOf(t, filled(t, s, values...), ""), 0o600)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	listener.Close()
	cfg := write(t, filepath.Join(dir, "haproxy.cfg"), `defaults
    mode http
    timeout client 10s
    timeout connect 10s
    timeout server 10s
frontend stats
    bind `+address+`
    http-request auth unless { http_auth(`+render.Userlist+`) }
    http-request return status 204
`, 0o600)
	var out strings.Builder
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	c := exec.CommandContext(ctx, program(t, "haproxy"), "-db", "-f", cfg, "-f", usersCfg)
	c.Stdout, c.Stderr = &out, &out
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		c.Process.Kill()
		c.Wait()
		if t.Failed() {
			t.Log(out.String())
		}
	}()
	ask := func(name, password string) int {
		request, err := http.NewRequest("GET", "http://"+address+"/", nil)
		if err != nil {
			t.Fatal(err)
		}
		if name != "" {
			request.SetBasicAuth(name, password)
		}
		for end := time.Now().Add(15 * time.Second); ; time.Sleep(20 * time.Millisecond) {
			response, err := http.DefaultClient.Do(request)
			if err == nil {
				response.Body.Close()
				return response.StatusCode
			}
			if time.Now().After(end) {
				t.Fatal(err)
			}
		}
	}
	if got := ask("", ""); got != 401 {
		t.Errorf("nobody: %d", got)
	}
	for i, p := range passwords {
		name := fmt.Sprint("user", i)
		if got := ask(name, p); got != 204 {
			t.Errorf("%s with the right password: %d", name, got)
		}
		for _, wrong := range []string{p + "x", "", passwords[(i+1)%len(passwords)]} {
			if got := ask(name, wrong); got != 401 {
				t.Errorf("%s with a wrong password: %d", name, got)
			}
		}
	}
}

// program finds a program that is not in every user's path.
func program(t *testing.T, name string) string {
	t.Helper()
	for _, dir := range append(filepath.SplitList(os.Getenv("PATH")), "/usr/sbin") {
		if path := filepath.Join(dir, name); exec.Command(path, "-v").Run() == nil {
			return path
		}
	}
	t.Fatalf("%s is not installed: apt-get install %s", name, name)
	return ""
}
