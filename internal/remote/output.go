package remote

import (
	"bufio"
	"bytes"
	"io"
	"strings"
	"sync"
)

// readLines passes on what a command prints.
func readLines(out io.Reader, what Command) {
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 16<<20)
	lines.Split(wholeLines)
	for lines.Scan() {
		if what.whole != nil {
			what.whole(lines.Text())
		}
		if what.Line != nil {
			what.Line(lineEndLess(lines.Text()))
		}
	}
	io.Copy(io.Discard, out)
}

// wholeLines is bufio.ScanLines, but that it keeps the line breaks.
func wholeLines(data []byte, atEOF bool) (int, []byte, error) {
	if i := bytes.IndexByte(data, '\n'); i >= 0 {
		return i + 1, data[:i+1], nil
	}
	if atEOF && len(data) > 0 {
		return len(data), data, nil
	}
	return 0, nil, nil
}

func lineEndLess(line string) string { return strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r") }

// A tail keeps the last lines of what a program says, up to 4 KiB.
type tail struct {
	mu   sync.Mutex
	text []byte
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, p...)
	if n := len(t.text) - 4096; n > 0 {
		t.text = t.text[n:]
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(bytes.TrimSpace(t.text))
}
