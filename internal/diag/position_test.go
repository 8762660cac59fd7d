package diag

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"
)

// TestPosition holds every offset of texts against counting from the start.
func TestPosition(t *testing.T) {
	for _, content := range []string{
		"", "a", "\n", "a\nb", "a\r\nb\r\n", "ä日\n😀x", "x\n\n\ny",
		strings.Repeat("ä", blockSize) + "\n" + strings.Repeat("😀", blockSize),
		strings.Repeat("a", blockSize), strings.Repeat("a", blockSize-1) + "\nb",
	} {
		f := &File{Content: []byte(content)}
		for offset := range len(content) + 1 {
			if offset < len(content) && !utf8.RuneStart(content[offset]) {
				continue
			}
			before := f.Content[:offset]
			want := Position{bytes.Count(before, []byte("\n")) + 1,
				utf8.RuneCount(before[bytes.LastIndexByte(before, '\n')+1:]) + 1}
			if got := f.Position(offset); got != want {
				t.Fatalf("offset %d of %.20q: got %v, want %v", offset, content, got, want)
			}
		}
	}
}

func TestOffset(t *testing.T) {
	f := &File{Content: []byte("ab\nä3\r\nx")}
	for _, c := range []struct{ line, col, want int }{
		{1, 1, 0}, {1, 2, 1}, {1, 99, 2}, {2, 1, 3}, {2, 3, 5}, {2, 99, 6}, {3, 1, 8}, {9, 1, 8}, {0, 0, 0},
	} {
		if got := f.Offset(c.line, c.col); got != c.want {
			t.Errorf("%d:%d: got %d, want %d", c.line, c.col, got, c.want)
		}
	}
}

func TestPath(t *testing.T) {
	path := JoinIndex(JoinKey(JoinKey(JoinKey("", "hosts"), "a.b"), "x-1"), 3)
	if want := `hosts."a.b".x-1[3]`; path != want {
		t.Errorf("got %s, want %s", path, want)
	}
	if got, want := JoinKey("a", ""), `a.""`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
