package schema

import (
	"bytes"
	"testing"
	"testing/fstest"

	"cuelang.org/go/cue/cuecontext"
	"cuelang.org/go/cue/format"
)

// TestCUE compiles the published file into the same attributes, and holds it
// against CUE's own formatting.
func TestCUE(t *testing.T) {
	text := CUE()
	c, err := compileSources(cuecontext.New(), fstest.MapFS{"schema.cue": {Data: text}})
	if err != nil {
		t.Fatal(err)
	}
	var want, got []string
	Root().each(func(a *Attr) { want = append(want, a.Path+": "+a.Type+": "+a.Doc) })
	c.root.each(func(a *Attr) { got = append(got, a.Path+": "+a.Type+": "+a.Doc) })
	if len(want) != len(got) {
		t.Fatalf("%d attributes became %d", len(want), len(got))
	}
	for i := range want {
		if want[i] != got[i] {
			t.Errorf("want %q, got %q", want[i], got[i])
		}
	}
	if formatted, err := format.Source(text); err != nil || !bytes.Equal(formatted, text) {
		t.Errorf("it is not as cue fmt writes it (%v)", err)
	}
}
