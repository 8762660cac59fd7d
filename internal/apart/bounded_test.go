package apart

import (
	"context"
	"errors"
	"strings"
	"testing"
)

// A program that prints without end is ended.
func TestBounded(t *testing.T) {
	t.Parallel()
	for most, want := range map[int]string{1 << 20: "prints too much", 4 << 20: ""} {
		out, err := Here(context.Background(), &Room{Program: []string{"/usr/bin/head", "-c", "2097152", "/dev/zero"}, Memory: 1 << 30, CPU: 10}, t.TempDir(), nil, most)
		if want == "" && (err != nil || len(out) != 2<<20) || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%d bytes at most: %d, %v", most, len(out), err)
		}
	}
	_, err := Here(context.Background(), &Room{Program: []string{"/bin/sh", "-c", "echo why >&2; exit 1"}, Memory: 1 << 30, CPU: 10}, t.TempDir(), nil, 10)
	if no := (*NoRoomError)(nil); !errors.As(err, &no) || no.Said != "why" {
		t.Errorf("what it said: %v", err)
	}
}
