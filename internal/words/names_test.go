package words

import (
	"strings"
	"testing"
)

func TestBraces(t *testing.T) {
	for _, test := range []struct{ paths, want string }{
		{"/a/b", "/a/b"},
		{"/a/b /a/c", "/a/{b,c}"},
		{"/a/c5.service /a/c12.service", "/a/c{5,12}.service"},
		{"/a/c5.service /a/d /a/c6.service", "/a/{c{5,6}.service,d}"},
		{"/a/py3.9 /a/py3.11", "/a/py3.{9,11}"},
		{"/a/" + strings.TrimSuffix(strings.Repeat("x /a/", most+1), " /a/"), "/a/ (13 files)"},
	} {
		if got := Braces(strings.Fields(test.paths)); got != test.want {
			t.Errorf("%s: got %s, want %s", test.paths, got, test.want)
		}
	}
}

func TestRuns(t *testing.T) {
	for names, want := range map[string]string{
		"":                              "",
		"lb1":                           "lb1",
		"app1 app10 app2":               "app1 app2 app10",
		"app1 app2 app3":                "app1 app2 app3",
		"app1 app2 app3 app4 db1":       "app1..app4 db1",
		"app10 app11 app12 app9 web":    "app9..app12 web",
		"app1 app2 app3 app5 app6":      "app1 app2 app3 app5 app6",
		"a1 a2 a3 a4 a6 a7 a8 a9":       "a1..a4 a6..a9",
		"app01 app02 app03 app04":       "app01 app02 app03 app04",
		"1 2 3 4":                       "1..4",
		"a99999999999999999999 a1 b1 b": "a1 a99999999999999999999 b b1",
	} {
		if got := strings.Join(Runs(strings.Fields(names)), " "); got != want {
			t.Errorf("%s: %q, want %q", names, got, want)
		}
	}
}
