package words

import (
	"slices"
	"testing"
)

func TestCount(t *testing.T) {
	for want, got := range map[string]string{
		"0 files": Count(0, "file"), "1 file": Count(1, "file"), "2 files": Count(2, "file"), "1 process": Count(1, "process"), "2 processes": Count(2, "process"), "1 entry": Count(1, "entry"), "2 entries": Count(2, "entry"),
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestCompare(t *testing.T) {
	want := []string{"app", "app01", "app1", "app2", "app2-client9", "app2-client10", "app9", "app10", "app10b", "app100", "db1", "db1-2", "db1-10"}
	got := slices.Clone(want)
	slices.Reverse(got)
	slices.SortFunc(got, Compare)
	if !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}

// A choice of one is that one.
func TestOr(t *testing.T) {
	for want, list := range map[string][]string{"2.7": {"2.7"}, "a or b": {"a", "b"}, "a, b or c": {"a", "b", "c"}} {
		if got := Or(list); got != want {
			t.Errorf("%q", got)
		}
	}
}
