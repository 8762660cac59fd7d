package apart

import (
	"context"
	"os"
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
