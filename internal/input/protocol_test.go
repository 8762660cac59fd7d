package input

import (
	"bytes"
	"reflect"
	"testing"

	"github.com/plonec/plonec/internal/diag"
)

func TestMessages(t *testing.T) {
	var buf bytes.Buffer
	req := &request{CUE: true, Dir: "/d", Files: []blob{{Rel: "a", Size: 2, data: []byte("{}")}, {Rel: "b\n", Size: 0, data: []byte{}}}, ExtStr: map[string]string{"k": "v"}, Seconds: 3}
	if err := writeRequest(&buf, req); err != nil {
		t.Fatal(err)
	}
	if got, err := readRequest(&buf); err != nil || !reflect.DeepEqual(got, req) {
		t.Errorf("got %+v, %v", got, err)
	}
	a := &answer{Files: req.Files, doc: []byte("{\n}"), spans: []byte{0}, Mistakes: []mistake{{Code: "c", At: place{1, 2, 3}}}}
	if err := writeAnswer(&buf, a); err != nil {
		t.Fatal(err)
	}
	if got, err := readAnswer(&buf); err != nil || !reflect.DeepEqual(got, a) {
		t.Errorf("got %+v, %v", got, err)
	}
	if _, err := readAnswer(bytes.NewReader([]byte("{}\n"))); err == nil {
		t.Error("an answer of something else is taken")
	}
}

// TestSpans packs and unpacks places that go forth and back.
func TestSpans(t *testing.T) {
	a, b := &diag.File{Content: make([]byte, 1000)}, &diag.File{Content: make([]byte, 10)}
	given := []place{{1, 900, 1000}, {2, 0, 10}, {}, {1, 5, 5}, {1, 4, 6}}
	var w spanWriter
	for _, p := range given {
		w.add(p)
	}
	whole := diag.Span{File: b}
	r := &spanReader{buf: w.buf, files: []*diag.File{a, b}, whole: whole}
	for i, want := range []diag.Span{{File: a, Start: 900, End: 1000}, {File: b, Start: 0, End: 10}, whole, {File: a, Start: 5, End: 5}, {File: a, Start: 4, End: 6}} {
		if got, ok := r.next(); !ok || got != want {
			t.Errorf("%d: got %v, %v", i, got, ok)
		}
	}
	if _, ok := r.next(); ok {
		t.Error("there is more than was packed")
	}
}

// FuzzAnswer holds that no answer of a child, however broken, does harm: places
// lie in their files, and what does not fit is refused.
func FuzzAnswer(f *testing.F) {
	a := &answer{Files: []blob{{Rel: "a", Size: 6, data: []byte("{a: 1}")}}, doc: []byte(`{"a": [1, {}]}`)}
	var w spanWriter
	for range 5 {
		w.add(place{1, 1, 2})
	}
	a.spans = w.buf
	var buf bytes.Buffer
	if err := writeAnswer(&buf, a); err != nil {
		f.Fatal(err)
	}
	f.Add(buf.Bytes())
	f.Add([]byte(`{"Protocol":"plonec-eval-1","Mistakes":[{"At":{"File":9,"Start":-5,"End":99},"Others":[{"File":1}]}],"Files":[{"Size":1}]}` + "\nx"))
	f.Fuzz(func(t *testing.T, content []byte) {
		a, err := readAnswer(bytes.NewReader(content))
		if err != nil {
			return
		}
		l := &loader{imports: map[string]Read{}}
		main := source{file: &diag.File{Name: "a", Content: []byte("{a: 1}")}, format: formatJsonnet, dir: "/d", rel: "a"}
		files := l.filesOf(a, []source{main})
		for _, m := range a.Mistakes {
			checkSpan(t, m.diagnostic(files).Span)
		}
		if tree := l.document(a, files, main); tree != nil && !l.failed {
			walkSpans(t, tree)
		}
	})
}

func checkSpan(t *testing.T, s diag.Span) {
	if s.File != nil && (s.Start < 0 || s.Start > s.End || s.End > len(s.File.Content)) {
		t.Errorf("the place %d to %d of %d", s.Start, s.End, len(s.File.Content))
	}
}

func walkSpans(t *testing.T, n *Node) {
	checkSpan(t, n.Span)
	for _, f := range n.Fields {
		checkSpan(t, f.Span)
		walkSpans(t, f.Value)
	}
	for _, item := range n.Items {
		walkSpans(t, item)
	}
}
