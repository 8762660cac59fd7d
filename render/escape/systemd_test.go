package escape

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"
)

// hostile are strings that mean something to one of the syntaxes.
var hostile = []string{
	"", " ", "a b", `"`, "'", `\`, `a\`, "$", "$$", "$HOME", "${HOME}", "$(id)", "`id`", "%", "%h", "%%", ";", "; rm", "#x",
	"a=b", "-e", "@x", "+x", "!x", "|", "&", "*", "?", "[a]", "{b,c}", "~", "<x", "tab\tx", "line\nbreak", "\n", `\n`, `\x41`, `\u0041`,
	"é", "日本", `"; ExecStart=/bin/sh`, "'\"'\"'", "\\\n", "a\\ b", "  two  ", "=", "\"\"", "''",
}

func FuzzSystemdWord(f *testing.F) {
	for _, s := range hostile {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		quoted, err := SystemdWord(s)
		if err != nil {
			return
		}
		if got, rest := readSystemdWord(t, quoted); got != s || rest != "" {
			t.Errorf("%q was written %s and read as %q, %q", s, quoted, got, rest)
		}
		quoted, _ = SystemdExec(s)
		got, rest := readSystemdWord(t, quoted)
		if strings.ReplaceAll(got, "$$", "") != strings.ReplaceAll(strings.ReplaceAll(s, "$", "$$"), "$$", "") || rest != "" ||
			strings.Contains(strings.ReplaceAll(got, "$$", ""), "$") {
			t.Errorf("%q was written %s", s, quoted)
		}
	})
}

func FuzzSystemdLine(f *testing.F) {
	for _, s := range hostile {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		line, err := SystemdLine(s)
		if err != nil {
			return
		}
		if strings.ContainsFunc(line, unicode.IsControl) && !strings.ContainsFunc(s, unicode.IsControl) ||
			strings.ContainsAny(line, "\n\r\x00") || strings.HasSuffix(line, `\`) {
			t.Errorf("%q leaves its line: %q", s, line)
		}
		if strings.ReplaceAll(line, "%%", "%") != s {
			t.Errorf("%q was written %q", s, line)
		}
	})
}

// readSystemdWord reads the first word as systemd does: quotes, C escapes,
// specifiers.
func readSystemdWord(t *testing.T, s string) (word, rest string) {
	t.Helper()
	if !strings.HasPrefix(s, `"`) {
		t.Fatalf("%s has no quote", s)
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == '"':
			return b.String(), s[i+1:]
		case s[i] == '\\' && i+1 < len(s):
			i++
			c, ok := map[byte]byte{'n': '\n', 't': '\t', '\\': '\\', '"': '"'}[s[i]]
			if !ok {
				t.Fatalf("%s has an escape that means something else", s)
			}
			b.WriteByte(c)
		case s[i] == '%' && i+1 < len(s) && s[i+1] == '%':
			i++
			b.WriteByte('%')
		case s[i] == '%' || s[i] == '\n':
			t.Fatalf("%s has a bare %q", s, s[i])
		default:
			b.WriteByte(s[i])
		}
	}
	t.Fatalf("%s is not closed", s)
	return "", ""
}

// TestSystemdReads lets systemd itself read what the escapers wrote: its test
// mode loads a unit as a plain user's manager and prints what it understood.
func TestSystemdReads(t *testing.T) {
	const systemd = "/lib/systemd/systemd"
	if _, err := os.Stat(systemd); err != nil {
		t.Fatal("no systemd here: apt-get install systemd")
	}
	dir, err := os.MkdirTemp("", "plonec-units-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	os.Chmod(dir, 0o777)
	var unit strings.Builder
	unit.WriteString("[Service]\nType=oneshot\n")
	for _, s := range hostile {
		arg, err := SystemdExec(s)
		if err != nil {
			t.Fatalf("%q: %v", s, err)
		}
		env, _ := SystemdWord("V=" + s)
		unit.WriteString("Environment=" + env + "\nExecStart=/bin/echo " + arg + " end\n")
	}
	if err := os.WriteFile(filepath.Join(dir, "hostile.service"), []byte(unit.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	argv := []string{systemd, "--test", "--user", "--unit=hostile.service"}
	if os.Geteuid() == 0 { // it refuses to be tested as root
		argv = append([]string{"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"}, argv...)
	}
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=" + dir, "XDG_RUNTIME_DIR=" + dir,
		"SYSTEMD_UNIT_PATH=" + dir + ":/usr/lib/systemd/user"}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	lines := regexp.MustCompile(`(?m)^\s+Command Line: (.*)$`).FindAllStringSubmatch(string(out), -1)
	var got []string
	for _, l := range lines {
		if strings.HasPrefix(l[1], "/bin/echo ") {
			got = append(got, l[1])
		}
	}
	if len(got) != len(hostile) {
		t.Fatalf("systemd read %d commands of %d:\n%s", len(got), len(hostile), out)
	}
	for i, s := range hostile {
		// It prints what it read before it replaces $$, in double quotes
		// where there is need.
		printed := strings.TrimSuffix(strings.TrimPrefix(got[i], "/bin/echo "), " end")
		if strings.HasPrefix(printed, `"`) {
			printed = strings.NewReplacer(`\\`, `\`, `\"`, `"`, `\$`, `$`, "\\`", "`", `\n`, "\n", `\t`, "\t").
				Replace(printed[1 : len(printed)-1])
		}
		if printed != strings.ReplaceAll(s, "$", "$$") {
			t.Errorf("%q: systemd read %s", s, got[i])
		}
	}
}

func TestSystemdName(t *testing.T) {
	if got, want := SystemdName("my-site--x"), `my\x2dsite\x2d\x2dx`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
