package frontend

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/plonec/plonec/internal/apart"
)

func TestMain(m *testing.M) {
	apart.RunChild()
	os.Exit(m.Run())
}

const commit = "0123456789abcdef0123456789abcdef01234567"

// script stands for frontend-here, which package render tests: what it packs is what the
// build finds in its environment.
const stand = `case $1 in
resolve) echo ` + commit + ` ;;
fetch) mkdir -- "$PLONEC_ROOT/work" && echo "$OF_USER" >"$PLONEC_ROOT/sources" ;;
make) env >"$3/env" && tar -czf "$3/frontend.tar.gz" -C "$3" env ;;
esac
`

// newOrder is an order whose warnings go to a list.
func newOrder(t *testing.T) (*Order, *[]string) {
	t.Helper()
	o := &Order{App: "site", Scripts: t.TempDir(), Cache: t.TempDir(), Files: map[string][]byte{"app.env": nil}, Env: []string{"PATH=" + os.Getenv("PATH"), "OF_USER=yes"}}
	err := os.Mkdir(o.Scripts+"/builders", 0o755)
	if err == nil {
		err = os.WriteFile(o.Scripts+"/"+script, []byte(stand), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	var warned []string
	o.Tell, o.Warn = func(line string) { t.Log(line) }, func(text string) { warned = append(warned, text) }
	return o, &warned
}

var all = func(string) bool { return true }

// A build finds nothing of the environment, whether it is kept apart or cannot be; where it
// cannot, that is said.
func TestNotApart(t *testing.T) {
	t.Setenv("OF_USER", "yes")
	for _, apart := range []bool{true, false} {
		if !apart {
			t.Setenv("PLONEC_ROOM", "there cannot be one")
		}
		o, warned := newOrder(t)
		b, err := o.Make(t.Context(), Machine{}, "", all)
		if err != nil {
			t.Fatal(err)
		}
		if b.Commit != commit || !slices.Equal(b.Sources, []string{"yes"}) {
			t.Errorf("%+v", b)
		}
		if len(*warned) != map[bool]int{false: 1}[apart] || !apart && !strings.Contains((*warned)[0], "is not built apart from this machine") {
			t.Errorf("apart %v: warned of %q", apart, *warned)
		}
		env, err := os.ReadFile(o.Cache + "/plonec/frontend/room/env")
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(env)) {
			name, _, _ := strings.Cut(line, "=")
			if !slices.Contains([]string{"PATH", "TMPDIR", "HOME", "PLONEC_ROOT", "PWD", "SHLVL", "_"}, name) {
				t.Errorf("apart %v: the build finds %s", apart, line)
			}
		}
	}
}

// The last ones that were used are kept; another commit, script or input is another one.
func TestKept(t *testing.T) {
	o, _ := newOrder(t)
	make := func(commit string, kept bool) *Built {
		t.Helper()
		b, err := o.Make(t.Context(), Machine{}, commit, all)
		if err != nil {
			t.Fatal(err)
		}
		if b.Kept != kept {
			t.Errorf("%+v", b)
		}
		return b
	}
	first := make("1", false)
	for i := 2; i <= keeps; i++ {
		make(fmt.Sprint(i), false)
	}
	make("1", true)
	make("more", false)
	make("1", true)
	make("2", false)
	o.Afresh = true
	make("1", false)
	o.Afresh = false
	make("1", true)
	if found, _ := filepath.Glob(o.Cache + "/plonec/frontend/built/*"); len(found) != keeps {
		t.Errorf("kept are %v", found)
	}
	if left, _ := filepath.Glob(o.Cache + "/plonec/frontend/room/" + packed); len(left) > 0 {
		t.Errorf("left is %v", left)
	}
	o.Files["app.env"] = []byte("A=\"b\"\n")
	if b := make("1", false); b.Folder == first.Folder {
		t.Error("another environment has the same frontend")
	}
	if err := os.WriteFile(o.Scripts+"/"+script, []byte(stand+"# more\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	make("1", false)
}

func TestSuits(t *testing.T) {
	here := Read([]string{"x86_64", "glibc 2.36"})
	for want, host := range map[string][]string{
		"": {"x86_64", "glibc 2.36"},
		"a frontend that is built here is for x86_64, and the host is aarch64":    {"aarch64", "glibc 2.41"},
		"a frontend that is built here may need glibc 2.36, and the host has 2.9": {"x86_64", "glibc 2.9"},
		"the machine type and the C library of the host are not known":            {"x86_64", "other"},
	} {
		err := here.Suits(Read(host))
		if got := fmt.Sprint(err); got != want && (want != "" || err != nil) {
			t.Errorf("%v: %s", host, got)
		}
	}
	if err := here.Suits(Read([]string{"x86_64", "glibc 2.41"})); err != nil {
		t.Error(err)
	}
	if err := here.Suits(Read(nil)); err == nil {
		t.Error("a host that says nothing suits")
	}
}
