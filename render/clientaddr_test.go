package render

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// TestVisitorsAddress: a release's zope.conf names the balancers, so that Zope has the
// visitor's address of what they send, and of nothing else.
func TestVisitorsAddress(t *testing.T) {
	dir := t.TempDir()
	conf := dir + "/parts/client1/etc/zope.conf"
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.MkdirAll(dir+"/parts/client1/etc", 0o755); err != nil {
		t.Fatal(err)
	}
	base := "instancehome " + dir + "\n<zodb_db main>\n  <mappingstorage>\n  </mappingstorage>\n  mount-point /\n</zodb_db>" // z2i leaves the last line open
	topo := resolved(t, "../examples/zeo/stack.json")
	for _, test := range []struct {
		name, cfg string
		want      []string
		warns     bool
	}{
		{"a stack's front end", cfg(t, topo, "app1", "site"), []string{"203.0.113.9", "10.9.9.9", "FRONT"}, false},
		{"two, one of IPv6", "[plonec]\ntrusted-proxy = FRONT 2001:db8::0007\n[other]\ntrusted-proxy = 10.9.9.9\n", []string{"203.0.113.9", "10.9.9.9", "FRONT"}, false},
		{"an address that ZConfig refuses", "[plonec]\ntrusted-proxy = fd00::7 FRONT\n", []string{"203.0.113.9", "10.9.9.9", "FRONT"}, true},
		{"a name that is none", "[plonec]\ntrusted-proxy = nobody.invalid FRONT\n", []string{"203.0.113.9", "10.9.9.9", "FRONT"}, true},
		{"nobody", "[plonec]\ntrusted-proxy =\n", []string{"FRONT", "10.9.9.9", "FRONT"}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			front := ""
			for _, h := range topo.Hosts {
				if h.Front != nil {
					front = h.Address
				}
			}
			write(conf, base)
			write(dir+"/deploy.cfg", strings.ReplaceAll(test.cfg, "FRONT", front))
			for range 2 { // a build that was cut short goes on
				cmd := exec.Command("bash", "-euc", `BUILD_CONFIG=x SECRET_CONFIGS=() APP=site
					as_app() { (cd "$DIR" && "$@"); }
					etc_file() { echo "$DIR/$2"; }
					warn() { echo "$*"; }
					eval "$(sed -n '/^trust_balancers()/,/^}/p' "$1/build")"
					eval "$(sed -n '/read -ra named/,/trust_balancers/p' "$1/builders/buildout.sh")"`, "bash", hostScripts(t))
				cmd.Env = append(os.Environ(), "DIR="+dir)
				out, err := cmd.CombinedOutput()
				if err != nil || len(out) > 0 != test.warns {
					t.Fatalf("%v\n%s", err, out)
				}
			}
			var got []string
			python(t, "clientaddr.py", map[string]any{"conf": conf, "requests": [][]string{
				{front, "203.0.113.9"}, {"10.9.9.9", "203.0.113.9"}, {front, ""},
			}}, &got)
			want := slices.Clone(test.want)
			for i := range want {
				want[i] = strings.ReplaceAll(want[i], "FRONT", front)
			}
			if !slices.Equal(got, want) {
				text, _ := os.ReadFile(conf)
				t.Errorf("got %v, want %v\n%s", got, want, text)
			}
		})
	}
}
