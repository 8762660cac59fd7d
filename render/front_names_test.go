package render

import (
	"fmt"
	"os/exec"
	"strings"
	"testing"

	"github.com/plonec/plonec/internal/topology"
)

// nginx takes long names and many of them, without a word.
func TestNginxTakesEveryName(t *testing.T) {
	t.Parallel()
	long := func(n int) string { return strings.Repeat("a-long-label-of-a-name.", 20)[:n-1] + "x" }
	many := func(n, length int) []string {
		var names []string
		for i := range n {
			name := fmt.Sprintf("site%d.example.com", i)
			if length > 0 {
				name = long(length-len(name)-1) + "." + name
			}
			names = append(names, name)
		}
		return names
	}
	for what, names := range map[string][]string{
		"a name of 112 characters":        {long(112)},
		"a name of 253 characters":        {long(253)},
		"200 names of 112":                many(200, 112),
		"5,000 names":                     many(5000, 0),
		"5,000 names of 112":              many(5000, 112),
		"5,000 names, one of them of 253": append(many(4999, 0), long(253)),
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			f := newFront(t, frontHost(func(h *topology.Host) { h.Front.Sites[0].Names = names }))
			out, err := exec.Command(program(t, "nginx"), append(f.nginxArgs(), "-t", "-q")...).CombinedOutput()
			if err != nil || len(out) > 0 {
				t.Errorf("%v\n%.400s", err, out)
			}
		})
	}
	if hash := (hostView{frontHost()}).ServerNamesHash(); hash != (namesHash{128, 4096}) {
		t.Errorf("a name as most are: %+v", hash)
	}
}

// noIPv6 runs a program as on a kernel that was booted without IPv6, as far as it can
// tell: socket(2) knows no such family.
const noIPv6 = `
import ctypes, os, platform, struct, sys
socket = {"x86_64": 41, "aarch64": 198}[platform.machine()]
line = lambda code, yes, no, k: struct.pack("HBBI", code, yes, no, k)
code = line(0x20, 0, 0, 0) + line(0x15, 0, 3, socket) + line(0x20, 0, 0, 16) + line(0x15, 0, 1, 10) + line(0x06, 0, 0, 0x50000 + 97) + line(0x06, 0, 0, 0x7fff0000)
text = ctypes.create_string_buffer(code)
libc = ctypes.CDLL(None, use_errno=True)
assert libc.prctl(38, 1, 0, 0, 0) == 0
assert libc.prctl(22, 2, ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(code) // 8, ctypes.addressof(text))), 0, 0) == 0
os.execv(sys.argv[1], sys.argv[1:])
`

// Where the stack says so nginx asks the kernel for no address of IPv6, which one
// without it refuses.
func TestNginxWithoutIPv6(t *testing.T) {
	t.Parallel()
	for _, on := range []bool{true, false} {
		set := func(h *topology.Host) { h.Stack.NginxPlone.IPv6 = on }
		text := rendered(t, frontHost(withTLS, set))[nginxConf]
		if n := strings.Count(text, "listen [::]:"); (n > 0) != on || on && n != strings.Count(text, "\n        listen ")/2 {
			t.Errorf("ipv6 %v: %d sockets\n%s", on, n, text)
		}
		f := newFront(t, frontHost(set))
		if on { // newFront leaves out what listens to the whole world
			f.swap(nginxConf, "        server_name _;\n", fmt.Sprintf("        listen [::1]:%d;\n        server_name _;\n", freePort(t)))
		}
		out, err := exec.Command("python3", append([]string{"-c", noIPv6, program(t, "nginx")}, append(f.nginxArgs(), "-t", "-q")...)...).CombinedOutput()
		if (err != nil) != on || on && !strings.Contains(string(out), "failed (97: ") {
			t.Errorf("ipv6 %v on a kernel without: %v\n%s", on, err, out)
		}
	}
}
