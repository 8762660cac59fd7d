// Package native lets the daemons that are installed here judge what was
// generated for them, without starting any. A stack of a stranger's may have
// them read and print whatever they see, so they see nothing of the machine.
package native

import (
	"cmp"
	"context"
	"crypto/sha256"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/plonec/plonec/internal/apart"
	"github.com/plonec/plonec/internal/tree"
	"github.com/plonec/plonec/render"
	"github.com/plonec/plonec/schema"
)

// How the programs are asked.
const (
	// Apart: as nobody, in namespaces of their own. They see what was
	// generated, /usr and the libraries, and nothing else of this machine: no
	// file, no process, no network.
	Apart How = "apart"
	// Here: as whoever asks, with all of this machine in sight.
	Here How = "here"
)

// A How is one of those words.
type How string

// Outcomes of a check.
const (
	Good     = "good"
	Refused  = "refused"
	Missing  = "not installed"
	NotAsked = "not asked" // it could not be kept apart from this machine
)

// A Result is what one program said of one host's files.
type Result struct {
	Host    string `json:"host"`
	Program string `json:"program"`
	Outcome string `json:"outcome"`
	Output  string `json:"output,omitempty"` // what the program printed, of a refused one; why it was not asked
	// Attribute is that of the stack whose pasted text is refused; empty: it is not known,
	// or no text of the stack's own.
	Attribute string  `json:"attribute,omitempty"`
	Places    []Place `json:"places,omitempty"` // that Output names
}

// A Place is a line of a file.
type Place struct {
	Path string `json:"path"` // on the host
	Line int    `json:"line"` // from 1
	Text string `json:"text"`
	From string `json:"from,omitempty"` // the attribute of the stack that it was pasted from
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
	apiece  bool // it judges each file by itself
	// includes is the folder of secrets that the configuration includes. A comment
	// stands in for each: nobody here has their text.
	includes string

	// What it finds where it is kept apart from this machine: users that it becomes,
	// files and folders of links of /etc that packages brought, folders of its own.
	users             []apart.User
	files, links, own []string
}

// checkers is every program that judges what is generated, those of daemons by name
// and first. What is a daemon's comes to it from the file of its name.
var checkers = []checker{
	{program: "systemd-analyze", judges: under(unitDir), run: systemd},
	bash,
}

var bash = checker{program: "bash", judges: isScript, run: scripts, apiece: true}

// add adds a daemon's checker.
func add(c checker) checker {
	at := slices.IndexFunc(checkers, func(o checker) bool { return o.program == "systemd-analyze" || o.program > c.program })
	checkers = slices.Insert(checkers, at, c)
	return c
}

// Programs are those that judge, in the order in which they are asked.
func Programs() []string {
	var names []string
	for _, c := range checkers {
		names = append(names, c.program)
	}
	return names
}

const unitDir = "/etc/systemd/system/"

func under(folders ...string) func(string) bool {
	return func(path string) bool {
		return slices.ContainsFunc(folders, func(folder string) bool { return strings.HasPrefix(path, folder) })
	}
}

// A question is what one program is asked: to judge these files.
type question struct {
	Program string
	Files   map[string][]byte // by their path on the host
}

// Files are the files of each host by their path there, a comment in the place of
// each secret that a configuration includes, and those that every host has.
func Files(m *tree.Manifest, contents *tree.Kept) (hosts map[string]map[string][]byte, common map[string][]byte) {
	hosts, common = map[string]map[string][]byte{}, map[string][]byte{}
	for _, h := range m.Hosts {
		hosts[h.Name] = map[string][]byte{}
	}
	for _, f := range m.Files {
		if f.Host == "*" {
			common[f.Path] = contents.Content(f)
		} else {
			hosts[f.Host][f.Path] = contents.Content(f)
		}
	}
	for _, s := range m.Secrets {
		if slices.ContainsFunc(checkers, func(c checker) bool { return c.includes != "" && strings.HasPrefix(s.Path, c.includes) }) {
			hosts[s.Host][s.Path] = []byte("# a secret, which only the host has\n")
		}
	}
	return hosts, common
}

// Check lets every checker judge the files of every host, sorted by host.
func Check(m *tree.Manifest, contents *tree.Kept, how How) ([]Result, error) {
	hosts, common := Files(m, contents)
	return Judge(hosts, common, how)
}

// Judge is Check of files in memory. What two hosts have in common is judged once; of
// files that are judged apiece the result is that of the first, by path, that is not good.
// A program that is not installed, or cannot be kept apart, is a result and not an
// error.
func Judge(byHost map[string]map[string][]byte, common map[string][]byte, how How) ([]Result, error) {
	var hosts []string // of each result
	var of [][]int     // the questions of each result
	var questions []question
	known := map[[32]byte]int{}
	ask := func(program string, files map[string][]byte) int {
		key := sum(program, files)
		at, ok := known[key]
		if !ok {
			at = len(questions)
			known[key] = at
			questions = append(questions, question{program, files})
		}
		return at
	}
	judged := func(host string, c checker, all map[string][]byte) {
		files := map[string][]byte{}
		var asked []int
		for _, path := range slices.Sorted(maps.Keys(all)) {
			if !c.judges(path) {
				continue
			}
			files[path] = all[path]
			if c.apiece {
				asked = append(asked, ask(c.program, map[string][]byte{path: all[path]}))
			}
		}
		if len(files) > 0 && !c.apiece {
			asked = append(asked, ask(c.program, files))
		}
		if len(asked) > 0 {
			hosts, of = append(hosts, host), append(of, asked)
		}
	}
	for _, host := range slices.Sorted(maps.Keys(byHost)) {
		for _, c := range checkers {
			judged(host, c, byHost[host])
		}
	}
	judged("every host", bash, common)
	answers, err := answer(questions, how)
	if err != nil {
		return nil, err
	}
	var results []Result
	for i, host := range hosts {
		r := answers[of[i][0]]
		for _, at := range of[i] {
			if r.Outcome == Good {
				r = answers[at]
			}
		}
		r.Host = host
		results = append(results, r)
	}
	return results, nil
}

// answer asks, and says what each program said.
func answer(questions []question, how How) ([]Result, error) {
	if how == Here {
		return judge(questions)
	}
	answers := make([]Result, len(questions))
	var rest []question
	var at []int
	for i, q := range questions {
		answers[i] = Result{Program: q.Program, Outcome: Missing}
		switch path, err := lookup(q.Program); {
		case err != nil:
		case !shown(path):
			answers[i].Outcome, answers[i].Output = NotAsked, path+" is not below /usr"
		default:
			rest, at = append(rest, q), append(at, i)
		}
	}
	if len(rest) == 0 {
		return answers, nil
	}
	said, err := judgeApart(rest)
	if err != nil {
		for _, i := range at {
			answers[i].Outcome, answers[i].Output = NotAsked, err.Error()
		}
		return answers, nil
	}
	for j, i := range at {
		answers[i] = said[j]
	}
	return answers, nil
}

// shown tells whether a program, and what a link in its place leads to, is seen
// by what is kept apart.
func shown(path string) bool {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	return slices.ContainsFunc([]string{"/usr/", "/bin/", "/sbin/"}, func(dir string) bool { return strings.HasPrefix(path, dir) })
}

// judge asks here, one after the other.
func judge(questions []question) ([]Result, error) {
	var answers []Result
	for _, q := range questions {
		r := Result{Program: q.Program, Outcome: Missing}
		at := slices.IndexFunc(checkers, func(c checker) bool { return c.program == q.Program })
		if _, err := lookup(q.Program); err == nil {
			if r, err = checkers[at].check(q.Files); err != nil {
				return nil, err
			}
		}
		answers = append(answers, r)
	}
	return answers, nil
}

func sum(program string, files map[string][]byte) [32]byte {
	h := sha256.New()
	fmt.Fprintln(h, program)
	for _, path := range slices.Sorted(maps.Keys(files)) {
		fmt.Fprintf(h, "%s %d\n%s", path, len(files[path]), files[path])
	}
	return [32]byte(h.Sum(nil))
}

// check asks a checker. What was pasted is looked for where it refuses the files.
func (c checker) check(files map[string][]byte) (Result, error) {
	output, refused, err := c.asked(files)
	if err != nil || refused == nil {
		return Result{Program: c.program, Outcome: Good}, err
	}
	r := Result{Program: c.program, Outcome: Refused, Output: cmp.Or(output, refused.Error()), Places: places(output, files)}
	for _, p := range r.Places {
		r.Attribute = cmp.Or(r.Attribute, p.From)
	}
	if r.Attribute != "" {
		return r, nil
	}
	// A brace or a semicolon that is missing is missed further down. The files are taken without
	// the text that lacks it, or without those before it too, which may be for it alone.
	for _, also := range []bool{false, true} {
		before := files
		for _, attribute := range pastedFrom(files) {
			less := map[string][]byte{}
			for path, text := range before {
				less[path] = render.WithoutPasted(text, attribute)
			}
			if _, refused, err := c.asked(less); err != nil {
				return Result{}, err
			} else if refused == nil {
				r.Attribute, r.Places = attribute, []Place{lastOf(attribute, files)}
				return r, nil
			}
			if also {
				before = less
			}
		}
	}
	return r, nil
}

// shownLine is a line as people see it.
func shownLine(line string) string {
	if schema.SecretLine(line) {
		return "***"
	}
	return strings.TrimSpace(line)
}

// lastOf is the last line that files have of an attribute's text.
func lastOf(attribute string, files map[string][]byte) (last Place) {
	for _, path := range slices.Sorted(maps.Keys(files)) {
		n := 0
		for line := range strings.Lines(string(files[path])) {
			if n++; strings.TrimSpace(line) != "" && render.PastedLine(files[path], n) == attribute && render.PastedLine(files[path], n+1) == attribute {
				last = Place{path, n, shownLine(line), attribute}
			}
		}
	}
	return last
}

// pastedFrom lists the attributes of which files have text.
func pastedFrom(files map[string][]byte) []string {
	var all []string
	for _, path := range slices.Sorted(maps.Keys(files)) {
		all = append(all, render.PastedFrom(files[path])...)
	}
	return all
}

// named is how programs name a line of a file.
var named = regexp.MustCompile(`(/[^\s:'"\[\]()]+)(?::|: line |' Line )(\d+)\b`)

// places are the lines of the files that an output names, each once.
func places(output string, files map[string][]byte) []Place {
	var all []Place
	for _, m := range named.FindAllStringSubmatch(output, -1) {
		n, _ := strconv.Atoi(m[2])
		lines := strings.Split(string(files[m[1]]), "\n")
		if _, known := files[m[1]]; !known || n < 1 || n > len(lines) {
			continue
		}
		p := Place{m[1], n, shownLine(lines[n-1]), render.PastedLine(files[m[1]], n)}
		if !slices.Contains(all, p) {
			all = append(all, p)
		}
	}
	return all
}

// asked runs a checker in a folder of its own, and gives what it said; refused is nil
// where it takes the files.
func (c checker) asked(files map[string][]byte) (output string, refused, err error) {
	dir, err := os.MkdirTemp("", "plonec-check")
	if err != nil {
		return "", nil, err
	}
	defer os.RemoveAll(dir)
	// Some programs read as a user of their own.
	if err := os.Chmod(dir, 0o755); err != nil {
		return "", nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), deadline)
	defer cancel()
	output, refused = c.run(ctx, &stage{dir: dir, files: files})
	return strings.ReplaceAll(strings.TrimSpace(output), dir, ""), refused, nil
}

// knows tells whether what a program says of its options, which it is asked once, has a
// text.
func knows(ctx context.Context, text, program string, args ...string) bool {
	question := program + " " + strings.Join(args, " ")
	said, asked := options.Load(question)
	if !asked {
		said, _ = command(ctx, nil, program, args...)
		options.Store(question, said)
	}
	return strings.Contains(said.(string), text)
}

// options are what programs said of theirs, by the command.
var options sync.Map

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

// command runs a program and gives what it prints. It gets no more of the
// environment than the units give it: that of a job has secrets.
func command(ctx context.Context, env []string, program string, args ...string) (string, error) {
	path, err := lookup(program)
	if err != nil {
		return "", err
	}
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C.UTF-8"}, env...)
	cmd.WaitDelay = time.Second
	out, err := cmd.CombinedOutput()
	return string(out), err
}
