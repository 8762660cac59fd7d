package secret

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/plonec/plonec/internal/tree"
)

// sentinel is what nothing may show.
const sentinel = "S3NT1NEL"

// environment is a Getenv of its own, in which nothing of the machine is set.
func environment(pairs ...string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		for _, pair := range pairs {
			if key, value, _ := strings.Cut(pair, "="); key == name {
				return value, true
			}
		}
		return "", false
	}
}

func write(t testing.TB, path, text string, mode os.FileMode) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil { // whatever the umask is
		t.Fatal(err)
	}
	return path
}

// raw is a manifest's entry for one value.
func raw(host, source string) tree.Secret {
	return tree.Secret{Host: host, Path: "/etc/plonec/key", Mode: "0600", Owner: "root:root", Format: "raw", Entries: []tree.SecretEntry{{Source: source}}}
}

// entries is a manifest's entry of several values, given as KEY, source, …
func entries(host, format string, pairs ...string) tree.Secret {
	s := tree.Secret{Host: host, Path: "/etc/plonec/site/" + format, Mode: "0600", Owner: "root:root", Format: format}
	for i := 0; i < len(pairs); i += 2 {
		s.Entries = append(s.Entries, tree.SecretEntry{Key: pairs[i], Source: pairs[i+1]})
	}
	return s
}

// resolved gives the value of a source, or fails the test.
func resolved(t *testing.T, r *Resolver, source string) string {
	t.Helper()
	files, _, err := r.Files(context.Background(), []tree.Secret{raw("app1", source)}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return files[0].values[0].plain()
}

// refused gives the one problem of a source, whose words must hold all of want.
func refused(t *testing.T, r *Resolver, source string, want ...string) Problem {
	t.Helper()
	files, _, err := r.Files(context.Background(), []tree.Secret{raw("app1", source)}, nil)
	var problems Problems
	if !errors.As(err, &problems) || len(problems) != 1 || files != nil {
		t.Fatalf("%s: %d files, %v", source, len(files), err)
	}
	text := problems[0].String()
	for _, w := range want {
		if !strings.Contains(text, w) {
			t.Errorf("%s: %q is not in %q", source, w, text)
		}
	}
	if problems[0].Remedy == "" {
		t.Errorf("%s: no remedy: %s", source, text)
	}
	if strings.Contains(text, sentinel) {
		t.Errorf("%s: the value is shown: %s", source, text)
	}
	return problems[0]
}

func TestNothingShowsAValue(t *testing.T) {
	r := &Resolver{Dir: t.TempDir(), Getenv: environment("A=" + sentinel)}
	write(t, filepath.Join(r.Dir, "all.age"), encrypt(t, "B="+sentinel, identity(t, r), false), 0o600)
	files, _, err := r.Files(context.Background(), []tree.Secret{entries("app1", "env", "A", "env:A", "B", "age:all.age#B")}, nil)
	if err != nil {
		t.Fatal(err)
	}
	data, err := files[0].Bytes(nil)
	if err != nil || strings.Count(string(data), sentinel) != 2 {
		t.Fatalf("%v: the values are not where they belong", err)
	}
	value := NewValue(sentinel)
	things := map[string]any{
		"a value": value, "its address": &value, "values": []Value{value}, "a map": map[string]Value{"x": value},
		"exported": struct{ V Value }{value}, "unexported": struct{ v Value }{value}, "an interface": struct{ v any }{value},
		"a file": files[0], "its address too": &files[0], "files": files, "the resolver": r, "a redactor": r.Redactor(), "found": r.sources[reference{"env:A", r.Dir}],
		"age": r.ageFiles, "an error": fmt.Errorf("x %v %s %q %d", value, value, value, value),
	}
	for name, thing := range things {
		var shown strings.Builder
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%08.3f", "%t", "%c", "%U"} {
			fmt.Fprintf(&shown, verb+"\n", thing)
		}
		for _, h := range []slog.Handler{slog.NewTextHandler(&shown, nil), slog.NewJSONHandler(&shown, nil)} {
			slog.New(h).Info("x", "thing", thing)
		}
		if r, ok := thing.(*Resolver); !ok || r == nil { // functions are no JSON
			data, err := json.Marshal(thing)
			if err != nil {
				t.Error(name, err)
			}
			shown.Write(data)
		}
		for _, form := range []string{sentinel, fmt.Sprintf("%x", sentinel), fmt.Sprintf("%X", sentinel), "83 51 78", "AGE-SECRET"} {
			if strings.Contains(shown.String(), form) {
				t.Errorf("%s shows a value: %s", name, shown.String())
			}
		}
	}
	// The search finds what is there.
	if s := fmt.Sprintf("%v %x", struct{ v string }{sentinel}, sentinel); !strings.Contains(s, sentinel) {
		t.Error("the control shows nothing")
	}
	if got := fmt.Sprintf("%v|%s|%q|%#v|%s", value, value, value, value, value.String()); got != "***|***|***|***|***" {
		t.Error(got)
	}
	if data, err := json.Marshal(value); err != nil || string(data) != `"***"` {
		t.Error(string(data), err)
	}
}

func TestEveryFailureIsReported(t *testing.T) {
	r := &Resolver{Dir: t.TempDir(), Getenv: environment("LINES=a\nb", "GOOD=good", "EMPTY=")}
	secrets := []tree.Secret{
		entries("app1", "env", "DB", "env:MISSING", "MAIL", "env:GOOD", "X", "env:LINES"),
		entries("app2", "env", "DB", "env:MISSING"),
		raw("app2", "env:LINES"), // where it may have lines
		entries("app3", "env", "DB", "env:MISSING"),
		entries("app4", "env", "DB", "env:MISSING", "E", "env:EMPTY"),
		raw("app5", "file:nowhere"),
		{Host: "app6", Path: "/x", Format: "unheard of", Entries: []tree.SecretEntry{{Key: "A", Source: "cmd:touch ran"}}},
		entries("elsewhere", "env", "DB", "env:ANOTHER"),
	}
	hosts := map[string]bool{"app1": true, "app2": true, "app3": true, "app4": true, "app5": true, "app6": true}
	files, _, err := r.Files(context.Background(), secrets, hosts)
	var problems Problems
	if !errors.As(err, &problems) || files != nil {
		t.Fatalf("%v, %d files", err, len(files))
	}
	want := []struct {
		message string
		places  int
	}{
		{"the manifest's entry is none that this plonec writes", 1},
		{"env:MISSING is not set", 4},
		{"env:LINES has a line break", 1},
		{"env:EMPTY is empty", 1},
		{"file:nowhere: " + r.Dir + "/nowhere is not there", 1},
	}
	if len(problems) != len(want) {
		t.Fatalf("%d problems:\n%v", len(problems), err)
	}
	for i, w := range want {
		if p := problems[i]; !strings.HasPrefix(p.Message, w.message) || len(p.Places) != w.places || p.Remedy == "" {
			t.Errorf("want %+v, got %+v", w, p)
		}
	}
	if got, want := problems[1].Places[1], (Place{"app2", "/etc/plonec/site/env", "DB", "env:MISSING"}); got != want {
		t.Errorf("got %+v", got)
	}
	line := "env:MISSING is not set (for app1:/etc/plonec/site/env DB, app2:/etc/plonec/site/env DB, app3:/etc/plonec/site/env DB, 1 more): export MISSING before you run plonec"
	if got := strings.Split(err.Error(), "\n"); len(got) != len(want) || got[1] != line {
		t.Errorf("%q", got)
	}
	if _, err := os.Stat(filepath.Join(r.Dir, "ran")); err == nil {
		t.Error("a command of an entry that cannot be written was run")
	}
}

func TestFilesOfHosts(t *testing.T) {
	r := &Resolver{Getenv: environment("A=one", "B=two")}
	secrets := []tree.Secret{entries("b", "env", "A", "env:A"), raw("a", "env:B"), entries("c", "env", "C", "env:NOT_SET")}
	files, warnings, err := r.Files(context.Background(), secrets, map[string]bool{"a": true, "b": true})
	if err != nil || len(warnings) > 0 || len(files) != 2 || files[0].Host != "b" || files[1].Host != "a" {
		t.Fatalf("%v, %v, %d files", err, warnings, len(files))
	}
	if files[1].Path != "/etc/plonec/key" || files[1].Mode != "0600" || files[1].Owner != "root:root" || files[1].Format != "raw" {
		t.Errorf("%+v", files[1].Secret)
	}
	for i, want := range []string{"A=\"one\"\n", "two"} {
		data, err := files[i].Bytes(nil)
		if err != nil || string(data) != want {
			t.Errorf("%q, %v", data, err)
		}
	}
	if files, _, err := r.Files(context.Background(), secrets, map[string]bool{}); err != nil || len(files) != 0 {
		t.Errorf("no host: %v, %d files", err, len(files))
	}
}

func TestEachSourceIsResolvedOnce(t *testing.T) {
	r := &Resolver{Dir: t.TempDir()}
	source := "cmd:echo x >>count; cat count | wc -l"
	var secrets []tree.Secret
	for i := range 50 {
		secrets = append(secrets, raw(fmt.Sprint("app", i), source))
	}
	done := make(chan string)
	for range 4 {
		go func() {
			files, _, err := r.Files(context.Background(), secrets, nil)
			var got string
			for _, f := range files {
				got += f.values[0].plain()
			}
			done <- fmt.Sprint(got, err)
		}()
	}
	for range 4 {
		if got := <-done; got != strings.Repeat("1", 50)+"<nil>" {
			t.Error(got)
		}
	}
	// A failure is not remembered.
	refused(t, r, "file:later", "later is not there")
	write(t, filepath.Join(r.Dir, "later"), "here", 0o600)
	if got := resolved(t, r, "file:later"); got != "here" {
		t.Error(got)
	}
}

func TestSourcesAreResolvedAtOnceWithinABound(t *testing.T) {
	r := &Resolver{Dir: t.TempDir()}
	var secrets []tree.Secret
	for i := range 3 * width {
		// Each notes how many run beside it.
		line := fmt.Sprintf("cmd:mkdir run%d; sleep 0.2; ls -d run* | wc -l >seen%d; rmdir run%d; echo ok", i, i, i)
		secrets = append(secrets, raw("app1", line))
	}
	if _, _, err := r.Files(context.Background(), secrets, nil); err != nil {
		t.Fatal(err)
	}
	most := 0
	for i := range secrets {
		data, err := os.ReadFile(filepath.Join(r.Dir, fmt.Sprint("seen", i)))
		if err != nil {
			t.Fatal(err)
		}
		var n int
		fmt.Sscan(string(data), &n)
		most = max(most, n)
	}
	if most < 2 || most > width {
		t.Errorf("%d ran at once, the bound is %d", most, width)
	}
}

func TestTheEndOfTheContextEndsCommands(t *testing.T) {
	r := &Resolver{Dir: t.TempDir()}
	ctx, cancel := context.WithCancelCause(context.Background())
	stopped := errors.New("stopped")
	time.AfterFunc(200*time.Millisecond, func() { cancel(stopped) })
	begin := time.Now()
	var secrets []tree.Secret
	for i := range 2 * width {
		secrets = append(secrets, raw("app1", fmt.Sprintf("cmd:sleep %d", 30+i)))
	}
	files, _, err := r.Files(ctx, secrets, nil)
	if err != stopped || files != nil {
		t.Errorf("%v, %d files", err, len(files))
	}
	if took := time.Since(begin); took > 5*time.Second {
		t.Errorf("it took %v", took)
	}
}

func TestWarningsComeWithErrorsToo(t *testing.T) {
	r := &Resolver{Dir: t.TempDir(), Getenv: environment()}
	write(t, filepath.Join(r.Dir, "open"), "x1234", 0o644)
	_, warnings, err := r.Files(context.Background(), []tree.Secret{raw("a", "file:open"), raw("b", "file:open"), raw("b", "env:NO")}, nil)
	if err == nil || len(warnings) != 1 || len(warnings[0].Places) != 2 {
		t.Fatalf("%v, %v", warnings, err)
	}
	want := fmt.Sprintf("%s/open is open to others than its owner: its mode is 0644 (for a:/etc/plonec/key, b:/etc/plonec/key): chmod go-rwx %s/open", r.Dir, r.Dir)
	if got := warnings[0].String(); got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	if !slices.Equal(warnings[0].Places, []Place{{"a", "/etc/plonec/key", "", "file:open"}, {"b", "/etc/plonec/key", "", "file:open"}}) {
		t.Errorf("%+v", warnings[0].Places)
	}
}
