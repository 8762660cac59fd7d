package input

import (
	"testing"

	"github.com/plonec/plonec/diag"
)

func TestX(t *testing.T) {
	for _, s := range []string{`{"a": 1, "a": "s3cret", "b": 5,}`, "{\n  \"password\": s3cret\",\n  \"x\": 'y'}", `{"a":"b" "c":"d"}`, "{\"a\": \"b\"\n \"c\": 1}", `{"a": [1,2}`, `{"a": 01}`, `{"a": 1e400, "b": 1e-400, "c": tru}`, "\uFEFF{}", "{\"a\": \"\\ud800\"}", "{\"a\": \"x\ty\"}", "{", "", "[1, // foo\n2]", "{\"a\":\xff}", `{"a": NaN}`} {
		f := &diag.File{Name: "s.json", Content: []byte(s)}
		_, l := ReadJSON(f)
		diag.Text{}.Format(t.Output(), l)
	}
}
