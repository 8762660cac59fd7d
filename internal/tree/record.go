package tree

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/plonec/plonec/internal/git"
	"github.com/plonec/plonec/internal/regular"
)

// A record lies in git's own directory, which no branch can write and no clone copies:
// the sums of the files of a tree as this checkout's last build left them, in the form
// of sha256sum, below a key that stands for all that they follow from. Where the key is
// the same the files need not be rendered again: each is read, and its sum compared.
// Without a repository there is no record, and of a small tree none is worth it.

// worthRecording is from how many files on a record is kept: to render fewer takes no
// longer than to find out that nobody has to.
const worthRecording = 2000

// recordFile is where the record of a tree is; empty where there is no place for it.
func recordFile(dir string) string {
	repo, err := git.Around(dir)
	if err != nil || repo == nil {
		return ""
	}
	top, err := repo.Dir()
	rel, inside := repo.Rel(dir)
	if err != nil || !inside {
		return ""
	}
	return filepath.Join(top, "plonec", "built", Sum([]byte(rel)))
}

// Recorded gives the names of all files of the tree, relative to it, where it is byte
// for byte what the build of that key left, and readme is still its README; nil where
// that is not so, or not known.
func (s *Stage) Recorded(key func() (string, error), readme []byte) []string {
	name := recordFile(s.dir)
	if name == "" || len(s.left) > 0 {
		return nil
	}
	data, err := regular.ReadHere(name, MaxFile)
	if err != nil {
		return nil
	}
	first, rest, _ := bytes.Cut(data, []byte("\n"))
	if is, err := key(); err != nil || is != string(first) {
		return nil
	}
	if apart, err := unmerged(s.dir); err != nil || len(apart) > 0 {
		return nil
	}
	var sums, names []string
	for line := range strings.Lines(string(rest)) {
		sum, rel, good := strings.Cut(strings.TrimSuffix(line, "\n"), "  ")
		if !good || rel == readmeName && sum != Sum(readme) {
			return nil
		}
		sums, names = append(sums, sum), append(names, rel)
	}
	if len(names) == 0 || names[len(names)-1] != ManifestName {
		return nil // cut short
	}
	err = parallel(len(names), func(i int) error {
		s.mu.Lock()
		there, err := s.there.visit(s.dir, path.Dir(names[i]))
		s.mu.Unlock()
		if err != nil {
			return err
		}
		sum, good, err := regular.Sum(filepath.Join(s.dir, names[i]), MaxFile)
		if err == nil && (!there || !good || hex.EncodeToString(sum[:]) != sums[i]) {
			err = fmt.Errorf("%s is not what was recorded", names[i])
		}
		return err
	})
	if err != nil {
		return nil
	}
	slices.Sort(names)
	return names
}

// Remember records the tree that Finish has made. That it could not is no error: the
// next build renders.
func (s *Stage) Remember(key func() (string, error), t *Tree) {
	name := recordFile(s.dir)
	if name == "" || len(t.Manifest.Files) < worthRecording {
		return
	}
	is, err := key()
	if err != nil {
		return
	}
	manifest := sha256.New()
	if err := t.Manifest.write(manifest); err != nil {
		return
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return
	}
	file, err := os.CreateTemp(filepath.Dir(name), "new-*")
	if err != nil {
		return
	}
	defer os.Remove(file.Name()) // fails where it has its name by then
	w := bufio.NewWriter(file)
	fmt.Fprintln(w, is)
	for _, f := range t.Manifest.Files {
		w.WriteString(f.Sum + "  " + f.Rel() + "\n")
	}
	fmt.Fprintf(w, "%s  %s\n%x  %s\n", Sum(t.Readme), readmeName, manifest.Sum(nil), ManifestName)
	err = w.Flush()
	if closed := file.Close(); err == nil && closed == nil {
		os.Rename(file.Name(), name)
	}
}
