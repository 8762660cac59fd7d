package apart

import (
	"bytes"
	"context"
	"net"
	"os"
	"strconv"
	"strings"
	"testing"
)

func TestMain(m *testing.M) {
	RunChild()
	os.Exit(m.Run())
}

// A folder is shown wherever it lies: below /tmp too, which the room hides.
func TestShown(t *testing.T) {
	for _, parent := range []string{"/tmp", "/var/tmp"} {
		dir, err := os.MkdirTemp(parent, "plonec-shown-")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { os.RemoveAll(dir) })
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(dir+"/a", []byte("it is here"), 0o644); err != nil {
			t.Fatal(err)
		}
		room := &Room{Program: []string{"/bin/cat", "/shown/a"}, Shown: map[string]string{"/shown": dir}}
		if said, err := Run(context.Background(), room, nil, 100); err != nil || string(said) != "it is here" {
			t.Errorf("%s: %q, %v", dir, said, err)
		}
	}
}

// A folder that is given is changed, one that is shown is not; there is a network, and of
// processes the room's own.
func TestGiven(t *testing.T) {
	dirs := map[string]string{}
	for _, name := range []string{"/given", "/shown"} {
		dir, err := os.MkdirTemp("/var/tmp", "plonec-given-")
		if err == nil {
			err = os.Chmod(dir, 0o777)
		}
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { os.RemoveAll(dir) })
		dirs[name] = dir
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	script := `echo yes >/given/a; (echo no >/shown/a) 2>/dev/null; cat < <(echo "$(id -u) $$ ${HOME-none}"); ls -d /proc/[0-9]* | wc -l; exec 3<>/dev/tcp/127.0.0.1/` +
		strconv.Itoa(l.Addr().(*net.TCPAddr).Port) + ` && echo reached; echo complains >&2`
	room := &Room{
		Program: []string{"/bin/bash", "-c", script},
		Shown:   map[string]string{"/shown": dirs["/shown"]}, Given: map[string]string{"/given": dirs["/given"]},
		Network: true, Proc: true,
	}
	var said bytes.Buffer
	if err := Follow(context.Background(), room, &said); err != nil {
		t.Errorf("%v\n%s", err, said.String())
	}
	lines := strings.Fields(said.String())
	if len(lines) != 6 || strings.Join(lines[:3], " ") != "65534 1 none" || len(lines[3]) > 1 || lines[4] != "reached" || lines[5] != "complains" {
		t.Errorf("%q", said.String())
	}
	if text, err := os.ReadFile(dirs["/given"] + "/a"); err != nil || string(text) != "yes\n" {
		t.Errorf("%q, %v", text, err)
	}
	if _, err := os.Stat(dirs["/shown"] + "/a"); err == nil {
		t.Error("what is shown was changed")
	}
	room.Network, said = false, bytes.Buffer{}
	Follow(context.Background(), room, &said)
	if strings.Contains(said.String(), "reached") {
		t.Errorf("without a network: %q", said.String())
	}
}
