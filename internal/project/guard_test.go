package project

import (
	"errors"
	"strings"
	"testing"

	"github.com/plonec/plonec/internal/builder"
	"github.com/plonec/plonec/internal/topology"
)

var debian12 = topology.Version{Major: 3, Minor: 11}

func TestExpressions(t *testing.T) {
	for expression, want := range map[string]bool{
		"python3": true, " python2 ": false, "python311": true, "python3 and not windows": true, "(python27 or python36)": false,
		`python_version >= "3.10"`: true, `python_version < '3.9'`: false, `"3.11" == python_version`: true, `python_version == "3.11.0"`: true,
		`python_version < "3.2"`: false, `python_version in "3.10 3.11"`: true, `python_version > "3"`: true,
		`platform_system == "Windows"`: false, `platform_system != "Windows" and python_version < "3.12"`: true,
		`sys.version_info >= (3, 8)`: true, `sys.version_info > (3, 11)`: true, `sys.version_info == (3, 11)`: false, `(3,) < sys.version_info`: true,
		`sys.version_info[0] == 3`: true, `sys.version_info[1] < 10`: false, `sys.version_info.major >= 3`: true,
		`sys_platform == "linux"`: true, `'lin' in sys.platform`: true, `'win' not in sys.platform`: true, "bits64": true, "True": true, "not not linux": true,
	} {
		if got, err := holds(expression, debian12); err != nil || got != want {
			t.Errorf("%s: %v, %v", expression, got, err)
		}
	}
	for _, expression := range []string{
		"", " ", "1", `"a"`, `__import__("os").system("id")`, "os.system", "os", "sys", "open('/etc/passwd')", "python3 or (lambda: 1)()", "python3 or evil",
		"[x for x in ()]", "1 if python3 else 0", `"a" < "b"`, `sys.platform.startswith("l")`, "python_version", `sys_platform < "x"`, "python3 and",
		"(python3", "python3)", "python3 python3", "1 < 2 < 3", "not", "sys.version_info[2:]", "sys.version_info[-1]", "x := 1", "python_version == '3.*'",
		strings.Repeat("(", 5000), strings.Repeat("not ", 5000) + "linux", "platform_machine == 'x86_64'",
	} {
		if got, err := holds(expression, debian12); err == nil {
			t.Errorf("%s: %v", expression, got)
		}
	}
	for _, expression := range []string{`python_full_version > "3.11.1"`, "sys.version_info >= (3, 11, 3)", "sys.version_info[2] > 1"} {
		if _, err := holds(expression, debian12); !errors.Is(err, errPatch) {
			t.Errorf("%s: %v", expression, err)
		}
	}
}

// What the guard lets through has no expression left, and each line is where it was.
func FuzzGuard(f *testing.F) {
	for _, text := range []string{
		"[buildout]\nparts = a\n[a: python3]\nb = c\n[d:python2]\ne = f\n  g\n[h]\n", "[a: __import__('os').system('id')]\n", "#\r[a:evil]\n", "[a:\t]", "[a:1]\n => b\n", " [a:x]\n",
		"[a]\nb =\n [c: evil]\n", "[ a : python3 ] ; x\n", "[a:python_version<'3' or(python3)]#\n", "[a:b]]\n", "\x85[a:x]", "[a\\x23:x]\n",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		text = newlines.Replace(text)
		asked := 0
		read, bad := builder.ReadCfg(text, func(expression string) (bool, error) { asked++; return holds(expression, debian12) })
		if n := strings.Count(text, "\n"); len(read.Plain) != n && len(read.Plain) != n+1 {
			t.Fatalf("%d lines of %d", len(read.Plain), n)
		}
		if len(bad) > 0 {
			return // such a file goes nowhere
		}
		again, bad := builder.ReadCfg(strings.Join(read.Plain, "\n"), func(expression string) (bool, error) {
			t.Fatalf("%q is left", expression)
			return false, nil
		})
		if len(bad) > 0 || len(again.Sections) != len(read.Sections) {
			t.Fatalf("%v, %d sections of %d", bad, len(again.Sections), len(read.Sections))
		}
	})
}
