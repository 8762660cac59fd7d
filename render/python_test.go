package render

import (
	"bytes"
	"encoding/json"
	"os/exec"
	"strings"
	"sync"
	"testing"
)

// venv is the virtualenv with zc.buildout and Zope, made by testdata/python.
var venv = sync.OnceValues(func() (string, error) {
	var stderr bytes.Buffer
	c := exec.Command("../testdata/python/setup")
	c.Stderr = &stderr
	out, err := c.Output()
	if err != nil {
		return "", &pythonError{err, stderr.String()}
	}
	return strings.TrimSpace(string(out)), nil
})

type pythonError struct {
	err    error
	stderr string
}

func (e *pythonError) Error() string { return e.err.Error() + "\n" + e.stderr }

// python runs a script of testdata/python: in and out as JSON.
func python(t testing.TB, script string, in, out any) {
	t.Helper()
	dir, err := venv()
	if err != nil {
		t.Fatalf("testdata/python/setup: %v", err)
	}
	stdin, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	c := exec.Command(dir+"/bin/python", "../testdata/python/"+script)
	c.Stdin, c.Stderr = bytes.NewReader(stdin), &stderr
	answer, err := c.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", script, err, stderr.String())
	}
	if err := json.Unmarshal(answer, out); err != nil {
		t.Fatalf("%s: %v\n%s", script, err, answer)
	}
}

// A buildoutText is a deploy.cfg for buildout to read, over a base where one
// is named.
type buildoutText struct {
	Text string  `json:"text"`
	Base *string `json:"base"`
}

// A buildoutSections is what buildout read: option by section.
type buildoutSections struct {
	Parsed    map[string]map[string]string `json:"parsed"`
	Effective map[string]map[string]string `json:"effective"`
	Error     string                       `json:"error"`
}

// readByBuildout has zc.buildout read each text.
func readByBuildout(t testing.TB, texts map[string]buildoutText) map[string]buildoutSections {
	t.Helper()
	var answers map[string]buildoutSections
	python(t, "buildout.py", texts, &answers)
	return answers
}
