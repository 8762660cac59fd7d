// Package native lets the daemons that are installed here judge what was
// generated for them, without starting any.
package native

import (
	"context"
	"crypto/sha256"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/plonec/plonec/tree"
)

// Outcomes of a check.
const (
	Good    = "good"
	Refused = "refused"
	Missing = "not installed"
)

// A Result is what one program said of one host's files.
type Result struct {
	Host    string `json:"host"`
	Program string `json:"program"`
	Outcome string `json:"outcome"`
	Output  string `json:"output,omitempty"` // what the program printed, of a refused one
}

// deadline bounds each run of a checker.
const deadline = 60 * time.Second

// A stage is a folder with a host's files at their places, in which a checker
// works. Nothing in it is a secret.
type stage struct {
	dir   string
	files map[string][]byte // by their path on the host
}

// A checker is a row of the table: which files it judges and how.
type checker struct {
	program string
	judges  func(path string) bool
	run     func(context.Context, *stage) (output string, err error)
}

// checkers is every program that judges what is generated.
var checkers = []checker{
	{"nginx", under("/etc/nginx/"), nginx},
	{"varnishd", under("/etc/varnish/"), varnish},
	{"haproxy", under("/etc/haproxy/"), haproxy},
	{"systemd-analyze", under("/etc/systemd/system/"), systemd},
	{"bash", isScript, scripts},
}

// includedSecrets is the folder of the secrets that nginx.conf includes. A comment
// stands in for each: nobody here has their text.
const includedSecrets = "/etc/nginx/secrets/"

func under(folder string) func(string) bool {
	return func(path string) bool { return strings.HasPrefix(path, folder) }
}

// Check runs every checker over the files of every host, sorted by host. What
// two hosts have in common is judged once. A program that is not installed is
// a result, not an error.
func Check(t *tree.Tree) ([]Result, error) {
	byHost := map[string]map[string][]byte{}
	for _, h := range t.Manifest.Hosts {
		byHost[h.Name] = map[string][]byte{}
	}
	common := map[string][]byte{}
	for i, f := range t.Manifest.Files {
		if f.Host == "*" {
			common[f.Path] = t.Content(i)
		} else {
			byHost[f.Host][f.Path] = t.Content(i)
		}
	}
	for _, s := range t.Manifest.Secrets {
		if strings.HasPrefix(s.Path, includedSecrets) {
			byHost[s.Host][s.Path] = []byte("# a secret, which only the host has\n")
		}
	}
	var results []Result
	known := map[[32]byte]Result{}
	for _, host := range slices.Sorted(maps.Keys(byHost)) {
		for _, c := range checkers {
			files := map[string][]byte{}
			for path, content := range byHost[host] {
				if c.judges(path) {
					files[path] = content
				}
			}
			if len(files) == 0 {
				continue
			}
			key := sum(c.program, files)
			r, ok := known[key]
			if !ok {
				var err error
				if r, err = c.check(files); err != nil {
					return nil, err
				}
				known[key] = r
			}
			r.Host = host
			results = append(results, r)
		}
	}
	for _, c := range checkers {
		if c.program != "bash" {
			continue
		}
		r, err := c.check(common)
		if err != nil {
			return nil, err
		}
		r.Host = "every host"
		results = append(results, r)
	}
	return results, nil
}

func sum(program string, files map[string][]byte) [32]byte {
	h := sha256.New()
	fmt.Fprintln(h, program)
	for _, path := range slices.Sorted(maps.Keys(files)) {
		fmt.Fprintf(h, "%s %d\n%s", path, len(files[path]), files[path])
	}
	return [32]byte(h.Sum(nil))
}

// check runs a checker in a folder of its own.
func (c checker) check(files map[string][]byte) (Result, error) {
	if _, err := lookup(c.program); err != nil {
		return Result{Program: c.program, Outcome: Missing}, nil
	}
	dir, err := os.MkdirTemp("", "plonec-check")
	if err != nil {
		return Result{}, err
	}
	defer os.RemoveAll(dir)
	// varnishd reads as a user of its own.
	if err := os.Chmod(dir, 0o755); err != nil {
		return Result{}, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), deadline)
	defer cancel()
	output, err := c.run(ctx, &stage{dir: dir, files: files})
	output = strings.ReplaceAll(strings.TrimSpace(output), dir, "")
	if err != nil {
		if output == "" {
			output = err.Error()
		}
		return Result{Program: c.program, Outcome: Refused, Output: output}, nil
	}
	return Result{Program: c.program, Outcome: Good}, nil
}

// lookup finds a program, in the folders of root's too.
func lookup(program string) (string, error) {
	if path, err := exec.LookPath(program); err == nil {
		return path, nil
	}
	for _, dir := range []string{"/usr/sbin", "/sbin", "/usr/local/sbin"} {
		if path, err := exec.LookPath(filepath.Join(dir, program)); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("%s is not installed", program)
}

// write puts a file into the stage and gives its place there.
func (s *stage) write(path string, content []byte, mode os.FileMode) (string, error) {
	place := filepath.Join(s.dir, path)
	if err := os.MkdirAll(filepath.Dir(place), 0o755); err != nil {
		return "", err
	}
	return place, os.WriteFile(place, content, mode)
}

// command runs a program and gives what it prints.
func command(ctx context.Context, env []string, program string, args ...string) (string, error) {
	path, err := lookup(program)
	if err != nil {
		return "", err
	}
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Env = append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	return string(out), err
}
