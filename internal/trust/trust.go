package trust

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	pathpkg "path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/plonec/plonec/internal/git"
	"github.com/plonec/plonec/internal/regular"
	"github.com/plonec/plonec/internal/tree"
	"github.com/plonec/plonec/internal/words"
)

// A Trust is what is believed of where hosts are: the tree of a revision, and those
// that were applied from this checkout.
type Trust struct {
	Location
	repo *git.Repository // of the tree at hand; nil: it is in none
	at   *roll           // what the tree at hand says
	said *roll           // what the revision says
	done *roll           // what was applied last from here
	name string          // of the revision, for a message: as origin/main has them
	why  string          // why the revision says nothing; empty: it does
}

// usualRevisions are the branches that are deployed from, where none is named: by
// their whole names, since a tag may be called origin/main too.
var usualRevisions = []string{"refs/remotes/origin/HEAD", "refs/remotes/origin/main", "refs/remotes/origin/master"}

// New looks up what is trusted of the hosts of a tree. ref is a git revision;
// empty: the usual ones.
func New(disk *tree.Disk, ref string) (*Trust, error) {
	repo, err := git.Around(disk.Dir)
	if err != nil {
		return nil, err
	}
	t := &Trust{repo: repo, said: &roll{}, done: &roll{}}
	if repo != nil {
		t.Top = repo.Top
		t.Tree, _ = repo.Rel(disk.Dir)
	}
	t.at = rollOf(disk.Manifest.Hosts, t.keys)
	if repo == nil {
		if ref != "" {
			return nil, fmt.Errorf("--hosts-of %s: %s is in no git repository", ref, disk.Dir)
		}
		t.name, t.why = "no tree", disk.Dir+" is in no git repository"
		return t, nil
	}
	t.done = t.noted()
	commit, err := t.choose(ref)
	if err != nil {
		return nil, err
	}
	if commit == "" {
		t.name, t.why = "no branch", "there is no origin/HEAD, origin/main or origin/master here"
		return t, nil
	}
	return t, t.read(disk, commit)
}

// choose gives the commit of the revision that is trusted; empty: there is none.
// Only a commit's id is asked for what it holds: git takes any other name for the first
// of several things that may have it.
func (t *Trust) choose(ref string) (commit string, err error) {
	if ref != "" {
		t.name = strings.TrimPrefix(ref, "refs/remotes/")
		if commit, err = t.repo.Named(ref); err != nil {
			return "", fmt.Errorf("--hosts-of %s: %w", ref, err)
		}
		if commit == "" {
			return "", fmt.Errorf("--hosts-of %s: git knows no branch, tag or whole commit id of that name: fetch it first (git fetch origin)", ref)
		}
		return commit, nil
	}
	commits, err := t.repo.Refs(usualRevisions...)
	for _, name := range usualRevisions {
		if commit == "" && commits[name] != "" {
			commit, t.name = commits[name], strings.TrimPrefix(name, "refs/remotes/")
		}
	}
	return commit, err
}

// read takes the hosts from a commit.
func (t *Trust) read(disk *tree.Disk, commit string) error {
	names := []string{""}
	for _, h := range disk.Manifest.Hosts {
		if file, inside := t.inside(h.SSH.KnownHosts); inside && !slices.Contains(names, file) {
			names = append(names, file)
		}
	}
	names[0] = pathpkg.Join(t.Tree, tree.ManifestName)
	var asks []string
	for _, name := range names {
		asks = append(asks, commit+":"+name)
	}
	for _, ask := range asks {
		if strings.ContainsAny(ask, "\n\x00") {
			return fmt.Errorf("%q cannot be asked of git: give it a name without line breaks", ask)
		}
	}
	out, err := t.repo.Run(strings.NewReader(strings.Join(asks, "\n")+"\n"), "cat-file", "--batch-check")
	if err != nil {
		return err
	}
	answers := strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
	if len(answers) != len(names) {
		return fmt.Errorf("git cat-file answered %d questions of %d", len(answers), len(asks))
	}
	var there, blobs []string
	for i, name := range names {
		if f := strings.Fields(answers[i]); len(f) == 3 && f[1] == "blob" && git.IsID(f[0]) {
			there, blobs = append(there, name), append(blobs, f[0])
		}
	}
	if len(there) == 0 || there[0] != names[0] {
		t.why = t.name + " has no tree in " + t.Tree
		return nil
	}
	contents, err := t.repo.Contents(blobs, tree.MaxFile)
	if err != nil {
		return err
	}
	m, err := tree.Parse(contents[0])
	if err != nil {
		t.why = fmt.Sprintf("the manifest of %s cannot be read (%v)", t.name, err)
		return nil
	}
	t.said = rollOf(m.Hosts, func(name string) (string, bool) {
		file, inside := t.inside(name)
		switch k := slices.Index(there, file); {
		case !inside || k < 0:
			return "", false
		case contents[k] == nil || len(contents[k]) > maxKnownHosts:
			return unread + "of " + commit, true
		default:
			return string(contents[k]), true
		}
	})
	return nil
}

// Strangers says which of some hosts are not where they are trusted to be, and what
// to do about it; empty: all are.
func (t *Trust) Strangers(list []tree.Host) (text, remedy string) {
	lines := strange(list, t.Location, t.at, t.said, t.done)
	if len(lines) == 0 {
		return "", ""
	}
	text, remedy = "these hosts are not as "+t.name+" has them", "see who changed that (git log -p), or merge it and fetch"
	if t.why != "" {
		text = "nobody says yet that these are the hosts (" + t.why + ")"
		if len(t.done.Hosts) > 0 {
			text = "these hosts are not as they were applied last from here (" + t.why + ")"
		}
		switch {
		case t.repo == nil:
			remedy = "compare them with what you know of them: outside of a git repository nothing else can tell"
		case t.repo.Ask("remote") == "":
			remedy = "name the branch that is deployed from (--hosts-of main; a local one will do)"
		default:
			remedy = "push the branch that is deployed from and fetch, or name another by --hosts-of"
		}
	}
	return text + ":\n  " + strings.Join(lines, "\n  "), remedy + "; --allow-new-hosts connects to them as they are"
}

// notes is the file in git's own directory, which no branch can write, that holds
// where hosts were when a tree was applied from this checkout, by the trees' folders.
func (t *Trust) notes() (string, error) {
	dir, err := t.repo.Dir()
	return filepath.Join(dir, "plonec", "hosts.json"), err
}

func (t *Trust) noted() *roll {
	all := t.allNoted()
	if n := all[t.Tree]; n != nil {
		return n
	}
	return &roll{}
}

func (t *Trust) allNoted() map[string]*roll {
	all := map[string]*roll{}
	name, err := t.notes()
	if err != nil {
		return all
	}
	data, err := os.ReadFile(name)
	if err != nil || json.Unmarshal(data, &all) != nil {
		return map[string]*roll{} // nothing is trusted then
	}
	return all
}

// Note writes down where hosts were when the tree was applied to them.
func (t *Trust) Note(list []tree.Host) error {
	if t.repo == nil || len(list) == 0 {
		return nil
	}
	at := rollOf(list, t.keys) // ssh may have added a key
	all := t.allNoted()
	was := all[t.Tree]
	if was == nil {
		was = &roll{}
	}
	is := &roll{Hosts: map[string]reach{}, Keys: map[string]string{}}
	for _, from := range []*roll{was, at} {
		for name, h := range from.Hosts {
			is.Hosts[name] = h
		}
	}
	same := len(is.Hosts) == len(was.Hosts)
	for name, h := range is.Hosts {
		same = same && was.Hosts[name] == h
		for _, from := range []*roll{was, at} {
			if text, there := from.Keys[h.Keys]; there {
				is.Keys[h.Keys] = text
			}
		}
	}
	if same {
		return nil
	}
	all[t.Tree] = is
	name, err := t.notes()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	return regular.Write(name, []byte(words.JSON(all)), 0o600)
}
