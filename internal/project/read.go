package project

import (
	"bytes"
	"cmp"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/plonec/plonec/internal/apart"
	"github.com/plonec/plonec/internal/diag"
)

//go:embed reader.py
var reader string

// Limits on the reader, for each configuration and for all of them.
const (
	readTime   = time.Minute // of the clock; the processor has a third of it
	readMemory = 2 << 30
	maxAnswer  = 64 << 20
	maxSection = 16 << 20 // characters of a section's options, references put in
)

// tooLong is what to do about a project that goes beyond them.
const tooLong = "look for options that refer to others several times, which refer to others again"

// A read is what buildout read of one deploy.cfg.
type read struct {
	Error     string
	Own       map[string]map[string]option
	Effective map[string]map[string]string
	Errors    map[string][]string // by section: the kind of error, and its words
}

// An option is what stands in a section itself, and where each part of it came from.
type option struct {
	Value   string
	History []history
}

type history struct{ Operation, File, Value string }

func (o *option) UnmarshalJSON(text []byte) error {
	var steps [][]string
	if err := json.Unmarshal(text, &[]any{&o.Value, &steps}); err != nil {
		return err
	}
	for _, s := range steps {
		o.History = append(o.History, history{s[0], s[1], s[2]})
	}
	return nil
}

// readAll has buildout of a version read configurations, apart from this machine or here.
func readAll(version string, files map[string]string, mains []string, here bool) ([]read, error) {
	venv, err := buildoutVenv(version)
	if err != nil {
		return nil, err
	}
	where := folder
	if here {
		made, err := os.MkdirTemp("", "plonec-buildout-")
		if err != nil {
			return nil, err
		}
		defer os.RemoveAll(made)
		if made, err = filepath.EvalSymlinks(made); err != nil { // as buildout says it
			return nil, err
		}
		where = filepath.Join(made, "release")
	}
	question, err := json.Marshal(map[string]any{"folder": where, "files": files, "mains": mains, "most": maxSection})
	if err != nil {
		return nil, err
	}
	limit := time.Duration(5+len(mains)) * readTime
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	room := &apart.Room{
		Program: []string{"/venv/bin/python", "-I", "-X", "utf8", "/reader.py"},
		Shown:   map[string]string{"/venv": venv},
		Texts:   map[string]string{"/reader.py": reader},
		Memory:  readMemory, CPU: uint64(limit.Seconds() / 3),
	}
	var said []byte
	most := maxAnswer + len(mains)<<20 // each has all pins, and where they come from
	if here {
		said, err = apart.Here(ctx, room, filepath.Dir(where), question, most)
		said = bytes.ReplaceAll(said, []byte(where), []byte(folder))
	} else {
		said, err = apart.Run(ctx, room, question, most)
	}
	var no *apart.NoRoomError
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return nil, fmt.Errorf("buildout has not read the project within %v", limit)
	case errors.As(err, &no) && strings.HasSuffix(no.Said, "MemoryError"):
		return nil, diag.WithRemedy(fmt.Sprintf("buildout needs more memory for reading the project than the %d GiB that it gets", readMemory>>30), tooLong)
	case errors.Is(err, apart.ErrTooMuch):
		return nil, diag.WithRemedy(fmt.Sprintf("what buildout reads of the project has more than %d MiB, references put in", most>>20), tooLong)
	case errors.As(err, &no) && strings.HasPrefix(no.Said, "signal: "):
		return nil, diag.WithRemedy(fmt.Sprintf("buildout was ended while it read the project (%s): it took more time of the processor than it gets, or the machine has no memory left", no.Said), tooLong)
	case errors.As(err, &no) && strings.Contains(no.Said, "Traceback"):
		lines := strings.Split(no.Said, "\n")
		return nil, fmt.Errorf("zc.buildout %s cannot be used by this machine's Python: %s", version, lines[len(lines)-1])
	case err != nil && here:
		return nil, fmt.Errorf("buildout could not be run: %w", err)
	case err != nil:
		return nil, diag.WithRemedy(fmt.Sprintf("buildout could not be run apart from this machine: %v", err), "run plonec with sudo, on Linux; in a container that is thrown away: plonec check --native=here --buildout")
	}
	var answers []read
	if err := json.Unmarshal(said, &answers); err != nil || len(answers) != len(mains) {
		return nil, errors.New("buildout gave no answer")
	}
	return answers, nil
}

// buildoutVenv is a virtualenv with that version of zc.buildout, in the user's cache
// folder: it is made where it is not there.
func buildoutVenv(version string) (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	python, err := systemPython()
	if err != nil {
		return "", err
	}
	venv := filepath.Join(cache, "plonec", "buildout-"+version+"-"+filepath.Base(python))
	if _, err := os.Stat(venv); err == nil {
		return venv, nil
	}
	if err := os.MkdirAll(filepath.Dir(venv), 0o755); err != nil {
		return "", err
	}
	made, err := os.MkdirTemp(filepath.Dir(venv), "new-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(made)
	// Whoever reads it in a room is nobody: all may read it.
	const script = `umask 022
chmod 755 "$1" && "$2" -m venv "$1" &&
"$1/bin/python" -m pip install -q --disable-pip-version-check --only-binary :all: "zc.buildout==$3" 'setuptools<82' wheel >&2`
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	c := exec.CommandContext(ctx, "/bin/sh", "-c", script, "sh", made, python, version)
	if out, err := c.CombinedOutput(); err != nil {
		lines := strings.Split(strings.TrimSpace(string(out)), "\n")
		return "", diag.WithRemedy(fmt.Sprintf("zc.buildout %s could not be installed into %s: %s", version, filepath.Dir(venv), lines[len(lines)-1]),
			"see that pip reaches its index, and that python3-venv is installed")
	}
	if err := os.Rename(made, venv); err != nil {
		if _, there := os.Stat(venv); there != nil { // else another plonec made it just now
			return "", err
		}
	}
	return venv, nil
}

// systemPython is the Python that what is kept apart sees.
func systemPython() (string, error) {
	name, err := exec.LookPath("python3")
	if _, here := os.Stat("/usr/bin/python3"); here == nil {
		name, err = "/usr/bin/python3", nil
	}
	if err == nil {
		name, err = filepath.EvalSymlinks(name)
	}
	if err != nil {
		return "", diag.WithRemedy("python3 is not installed", "install python3 and python3-venv")
	}
	if !strings.HasPrefix(name, "/usr/") {
		return "", diag.WithRemedy(name+" is not below /usr, where what is kept apart would see it", "install the system's python3 and python3-venv")
	}
	return name, nil
}

// A pin is a version that the project holds a package to.
type pin struct {
	name, version string
	span          diag.Span // without a file: see placed
}

var (
	// pinned is a line of requirements that pins a package.
	pinned = regexp.MustCompile(`^[ \t]*([A-Za-z0-9][A-Za-z0-9._-]*)[ \t]*={2,3}[ \t]*([0-9][0-9A-Za-z.]{0,20})[ \t]*(?:$|[;#])`)
	// included is one that includes a file.
	included = regexp.MustCompile(`^[ \t]*(?:-r|-c|--requirement|--constraint)[ =\t]*([^\s#]+)`)
	numbered = regexp.MustCompile(`^[0-9][0-9A-Za-z.]{0,20}$`)
	runs     = regexp.MustCompile(`[-_.]+`)
)

// canonical is a package's name as indexes compare it.
func canonical(name string) string { return strings.ToLower(runs.ReplaceAllString(name, "-")) }

// required are the pins of requirements.txt and of what it includes, by canonical name.
func (c *closure) required() map[string]pin {
	pins, seen := map[string]pin{}, map[string]bool{}
	var read func(place string)
	read = func(place string) {
		if seen[place] || len(seen) > 20 || isURL(place) {
			return
		}
		seen[place] = true
		f, err := c.load(place)
		if err != nil {
			return // what it would pin nobody knows
		}
		n := 0
		for line := range strings.Lines(string(f.Content)) {
			n++
			line = strings.TrimRight(line, "\n")
			if m := pinned.FindStringSubmatch(line); m != nil {
				pins[canonical(m[1])] = pin{m[1], m[2], lineSpan(f, n)}
			} else if m := included.FindStringSubmatch(line); m != nil {
				if place, err := resolve(folderOf(place), m[1]); err == nil {
					read(place)
				}
			}
		}
	}
	read("requirements.txt")
	return pins
}

// buildoutVersion is the zc.buildout that a project takes: of its requirements.txt, of
// its own pins, or what the builder takes where it says neither.
func (c *closure) buildoutVersion() string {
	if p, ok := c.required()["zc-buildout"]; ok {
		return p.version
	}
	for _, s := range c.sources { // a file's own pins beat those of what it extends, which follow it
		for _, section := range s.cfg.Sections {
			for _, o := range section.Options {
				if section.Name == "versions" && o.Name == "zc.buildout" && numbered.MatchString(o.Value) {
					return o.Value
				}
			}
		}
	}
	return cmp.Or(c.app.Config.BuildoutVersion, c.app.Plone.Buildout)
}
