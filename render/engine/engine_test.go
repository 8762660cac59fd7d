package engine

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"text/template"
)

type level int

func (l level) String() string { return fmt.Sprintf("level %d", int(l)) }

type inner struct {
	Deep  string
	Level level
}

func (i *inner) Pointed() string { return "pointed " + i.Deep }

type thing struct {
	*inner
	Name, Empty string
	N, Zero     int
	On, Off     bool
	Words, None []string
	Things      []inner
	Pointers    []*inner
	Nil         *inner
	Any         any
	Size        float64
}

func (t thing) Joined(with string) string     { return strings.Join(t.Words, with) }
func (t thing) Fails() (string, error)        { return "", errors.New("no luck") }
func (t thing) Made() *inner                  { return &inner{Deep: "made"} }
func (t thing) List(n int) (a []int, e error) { return make([]int, n), nil }

var funcs = template.FuncMap{
	"upper": strings.ToUpper,
	"quote": func(s string) (string, error) {
		if s == "" {
			return "", errors.New("nothing to quote")
		}
		return "'" + s + "'", nil
	},
	"words": func(list []string) (string, error) { return strings.Join(list, "+"), nil },
	"join":  func(sep string, list any) string { return strings.Join(list.([]string), sep) },
	"split": strings.Fields,
}

func sample() *thing {
	return &thing{
		inner: &inner{"deep", 2}, Name: "a name", N: 3, On: true, Words: []string{"x", "y"}, Size: 1.5,
		Things: []inner{{"one", 1}, {"two", 2}}, Pointers: []*inner{{"p", 1}}, Any: "any",
	}
}

// Each line of the language that our templates use, and what must fail, comes out as
// from text/template.
func TestIsTextTemplate(t *testing.T) {
	data := sample()
	for _, text := range []string{
		"plain", "{{.Name}} {{.N}} {{.On}} {{.Size}} {{.Words}} {{.Deep}} {{.Level}} {{.Any}} {{.Things}}", "{{.}}{{$}}",
		"{{upper .Name}} {{quote .Name}} {{words .Words}} {{words .None}} {{.Name | upper | quote}} {{quote (upper .Name)}}",
		`{{join "," .Words}} {{join "," .Words | upper}} {{words (split .Name)}} {{quote "x"}} {{quote .Any}} {{upper .Deep}}`,
		`{{.Joined "-"}} {{.Made.Deep}} {{.Made.Pointed}} {{.Pointed}} {{len (.List 4)}} {{(index .Things 1).Deep}} {{index .Words 0}} {{len .Words}} {{len .Name}}`,
		`{{print .Name ";" .N}} {{printf "%s,%d" .Name .N}} {{if ne (len .Words) 1}}s{{end}}{{if ne .N 3}}s{{end}}`,
		"{{if .Name}}a{{else}}b{{end}}{{if .Empty}}a{{else}}b{{end}}{{if .Zero}}a{{else if .N}}b{{end}}{{if .Off}}a{{end}}{{if .Nil}}a{{end}}{{if .None}}a{{end}}{{if .Level}}a{{end}}{{if .Any}}a{{end}}",
		"{{if and .On .Off}}a{{end}}{{if and .On .N}}b{{end}}{{if or .Off .Zero}}c{{end}}{{if or .Off .N}}d{{end}}{{if not .Off}}e{{end}}{{if not (and .On .Words)}}f{{end}}{{and .Zero .Nope.Nope}}{{or .N .Zero}}",
		"{{with .Name}}{{.}}{{$.N}}{{end}}{{with .Empty}}a{{else}}{{.N}}{{end}}{{with $x := .N}}{{$x}}{{.}}{{end}}{{with .Made}}{{.Deep}}{{end}}",
		"{{range .Words}}{{.}}{{$.Name}}{{else}}none{{end}}{{range .None}}a{{else}}{{.N}}{{end}}{{range $i, $w := .Words}}{{$i}}{{$w}}{{if $i}}!{{end}}{{end}}{{range $w := .Words}}{{$w}}{{end}}",
		"{{range .Things}}{{.Deep}}{{.Level}}{{.Pointed}}{{end}}{{range .Pointers}}{{.Deep}}{{.}}{{end}}{{range .List 2}}{{.}}{{end}}",
		`{{$x := .Name}}{{if .On}}{{$x = "other"}}{{end}}{{$x}}{{if .On}}{{$x := "own"}}{{$x}}{{end}}{{$x}}{{range .Words}}{{$y := .}}{{$y}}{{$x}}{{end}}{{$x := 2}}{{$x}}`,
		`{{define "part"}}{{.}}{{$}}{{$x := 1}}{{$x}}{{end}}{{$x := "mine"}}{{template "part" .Name}}{{range .Words}}{{template "part" .}}{{end}}{{$x}}`,
		`{{define "bare"}}bare{{end}}{{template "bare"}}`,
		"{{- /* a comment */ -}}  x",
		// These fail in both.
		"{{.Nope}}", "{{.Nil.Deep}}", "{{.Fails}}", "{{quote .Empty}}", "{{upper .N}}", "{{upper .Level}}", "{{quote .Nil}}", "{{.Name.Deep}}", "{{.Joined}}",
		`{{.Joined "a" "b"}}`, "{{.Joined 1}}", "{{range .On}}{{end}}", "{{words .Things}}", "{{index .Words 7}}", `{{.Name "x"}}`, "{{join}}", `{{define "f"}}{{.Nope}}{{end}}{{template "f" .}}`,
	} {
		parsed := template.Must(template.New("t").Funcs(funcs).Parse(text))
		var got, want bytes.Buffer
		standard := parsed.Execute(&want, data)
		all, err := Compile(parsed, funcs)
		if err == nil {
			err = all.Execute(&got, "t", data)
		}
		if (err == nil) != (standard == nil) || err == nil && got.String() != want.String() {
			t.Errorf("%s\ngives %q, %v\nand   %q, %v", text, got.String(), err, want.String(), standard)
		}
	}
}

// What the engine does not know it refuses before anything is run.
func TestRefuses(t *testing.T) {
	for _, text := range []string{
		"{{range .Words}}{{break}}{{end}}", "{{lt .N 1}}", "{{1.5}}", "{{print nil}}", "{{$i := 0}}{{range $i = .Words}}{{end}}", `{{template "nowhere"}}`,
	} {
		parsed := template.Must(template.New("t").Funcs(funcs).Parse(text))
		if _, err := Compile(parsed, funcs); err == nil || !strings.HasPrefix(err.Error(), "t:1:") || !strings.HasSuffix(err.Error(), "is more than the engine knows") {
			t.Errorf("%s: %v", text, err)
		}
	}
	if err := (Programs{}).Execute(new(bytes.Buffer), "t", nil); err == nil {
		t.Error("a template that is not there is run")
	}
}

// An error says where it happened.
func TestErrorsSayWhere(t *testing.T) {
	parsed := template.Must(template.New("t").Funcs(funcs).Parse("one\n{{.Name}}\n{{range .Words}}{{quote $.Empty}}{{end}}"))
	all, err := Compile(parsed, funcs)
	if err != nil {
		t.Fatal(err)
	}
	err = all.Execute(new(bytes.Buffer), "t", sample())
	if want := "t:3:18: {{quote $.Empty}}: nothing to quote"; err == nil || err.Error() != want {
		t.Errorf("got %v\nwant %s", err, want)
	}
}
