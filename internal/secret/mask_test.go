package secret

import (
	"bufio"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/plonec/plonec/render/escape"
)

// maskOf is the script that masks on a host what jobs print there.
func maskOf(root string) *exec.Cmd {
	return exec.Command("/usr/bin/python3", "-I", "../../templates/host/mask", root)
}

// A host masks the same as a Redactor with the same values, in whichever of its
// files they are.
func TestMaskIsTheRedactors(t *testing.T) {
	root := t.TempDir()
	key := "-----BEGIN KEY-----\nc2VjcmV0IGxpbmUgb25l\nshort\n-----END KEY-----\n"
	values := []string{"hunter22", "abc", ` a "b" $c \d`, "pässwörd", "x?>y~z+/&=%", "abcd", "efgh"}
	env := ""
	for i, v := range values {
		line, err := escape.EnvFile(fmt.Sprint("V", i), v)
		if err != nil {
			t.Fatal(err)
		}
		env += line + "\n"
	}
	hash := sha512crypt("sesame", "plonec")
	write(t, filepath.Join(root, "etc/plonec/site/secrets.env"), "# a comment\n"+env, 0o600)
	write(t, filepath.Join(root, "etc/haproxy/users.cfg"), "userlist plonec\n    user stats password "+hash+"\n", 0o600)
	// Named by a record of its own, waiting, and staged.
	write(t, filepath.Join(root, "var/lib/plonec/gen/3/sources"), "raw\tx\t/etc/nginx/ssl/[a].key\n", 0o600)
	write(t, filepath.Join(root, "etc/nginx/ssl/[a].key"), key, 0o600)
	pasted := "proxy_set_header X-Key \"pasted secret\";\n[client1]\nuser = admin:adminpassword\n"
	write(t, filepath.Join(root, "var/lib/plonec/gen/4/sources"), "raw\tx\t/etc/nginx/secrets/a-1.conf\n", 0o600)
	write(t, filepath.Join(root, "etc/nginx/secrets/a-1.conf"), pasted, 0o600)
	write(t, filepath.Join(root, "var/lib/plonec/pending/site/etc/plonec/site/scm.env"), "SCM_PASSWORD=\"waiting1\"\n", 0o600)
	write(t, filepath.Join(root, "var/lib/plonec/stage/s/sources"), "env\tx\t/etc/other.env\n", 0o600)
	write(t, filepath.Join(root, "var/lib/plonec/stage/s/root/etc/other.env"), "A=\"staged11\"\n", 0o600)
	values = append(values, hash, key, pasted, "waiting1", "staged11")

	var secrets []Value
	for _, v := range values {
		secrets = append(secrets, NewValue(v))
	}
	redactor := NewRedactor(secrets...)
	text := "nothing here\nabc stays\nabcdefgh and abcd efgh\n\xff\xfe hunter22\x00hunter22\r\n\n"
	for _, p := range redactor.pieces {
		text += "before " + p.plain() + " behind\nx" + p.plain() + "x\n"
	}
	if len(redactor.pieces) < 60 {
		t.Fatalf("only %d pieces", len(redactor.pieces))
	}
	want := ""
	for line := range strings.Lines(text + "the end") {
		want += redactor.Redact(line)
	}
	cmd := maskOf(root)
	cmd.Stdin = strings.NewReader(text + "the end")
	got, err := cmd.CombinedOutput()
	if err != nil || string(got) != want {
		g, w := strings.Split(string(got), "\n"), strings.Split(want, "\n")
		for i := range min(len(g), len(w)) {
			if g[i] != w[i] {
				t.Errorf("line %d: %q, the Redactor has %q", i, g[i], w[i])
			}
		}
		t.Errorf("%v: %d lines, want %d", err, len(g), len(w))
	}
	for _, v := range values {
		if v != "abc" && strings.Contains(string(got), v) {
			t.Errorf("%q is in it", v)
		}
	}
}

// A line is there as soon as it is printed.
func TestMaskIsPrompt(t *testing.T) {
	root := t.TempDir()
	write(t, filepath.Join(root, "etc/plonec/site/secrets.env"), "A=\"hunter22\"\n", 0o600)
	cmd := maskOf(root)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := make(chan string)
	go func() {
		for s := bufio.NewScanner(out); s.Scan(); {
			lines <- s.Text()
		}
		close(lines)
	}()
	for range 3 {
		io.WriteString(in, "it is hunter22\n")
		select {
		case line := <-lines:
			if line != "it is ***" {
				t.Errorf("got %q", line)
			}
		case <-time.After(20 * time.Second):
			t.Fatal("the line is held up")
		}
	}
	in.Close()
	if _, more := <-lines; more {
		t.Error("more came")
	}
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
}
