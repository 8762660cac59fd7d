package tree

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/plonec/plonec/internal/git"
)

// old is what a folder holds of earlier builds: every path, relative to the
// tree, that a manifest there lists. Where a merge left the manifest in
// conflict it is both sides', and the manifest is nil, as where there is none.
func old(dir string) (*Manifest, map[string]bool, error) {
	data, err := ReadManifest(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, map[string]bool{}, refuseForeign(dir)
	}
	if err != nil {
		return nil, nil, err
	}
	paths, err := unmergedPaths(dir)
	if err != nil {
		return nil, nil, err
	}
	var m *Manifest
	list := sides(data)
	for _, side := range list {
		if m, err = listed(dir, side, paths); err != nil {
			return nil, nil, err
		}
	}
	if len(list) > 1 {
		m = nil
	}
	return m, paths, nil
}

// unmergedPaths are those of the sides that git keeps apart.
func unmergedPaths(dir string) (map[string]bool, error) {
	paths := map[string]bool{}
	apart, err := unmerged(dir)
	for _, side := range apart {
		if _, err := listed(dir, side, paths); err != nil {
			return nil, err
		}
	}
	return paths, err
}

// listed adds the paths that a manifest lists.
func listed(dir string, data []byte, paths map[string]bool) (*Manifest, error) {
	m, err := Parse(data)
	if err != nil {
		return nil, Unreadable(filepath.Join(dir, ManifestName), err)
	}
	for _, f := range m.Files {
		paths[f.Rel()] = true
	}
	return m, nil
}

// refuseForeign keeps a build out of a folder that holds something else.
func refuseForeign(dir string) error {
	list, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range list {
		if e.Name() == stageName {
			return nil // a first build that was cut short
		}
	}
	if len(list) > 0 {
		return fmt.Errorf("%s holds files but no %s, so it is not a tree that plonec made: build into a new or empty folder", dir, ManifestName)
	}
	return nil
}

// sides gives the two manifests of a file with git's conflict markers, or the
// file itself where it has none.
func sides(data []byte) [][]byte {
	if !bytes.Contains(data, []byte("\n<<<<<<<")) && !bytes.HasPrefix(data, []byte("<<<<<<<")) {
		return [][]byte{data}
	}
	var ours, theirs bytes.Buffer
	const both, left, base, right = 0, 1, 2, 3
	at := both
	for line := range bytes.Lines(data) {
		switch {
		case bytes.HasPrefix(line, []byte("<<<<<<<")):
			at = left
		case at == left && bytes.HasPrefix(line, []byte("|||||||")):
			at = base
		case at != both && bytes.HasPrefix(line, []byte("=======")):
			at = right
		case at == right && bytes.HasPrefix(line, []byte(">>>>>>>")):
			at = both
		default:
			if at == both || at == left {
				ours.Write(line)
			}
			if at == both || at == right {
				theirs.Write(line)
			}
		}
	}
	return [][]byte{ours.Bytes(), theirs.Bytes()}
}

// ParseInputs reads what a tree was built from out of its manifest. Where a merge
// left that in conflict both sides have to name the same stack and arguments.
func ParseInputs(data []byte) (*Inputs, error) {
	var in *Inputs
	for _, side := range sides(data) {
		m, err := Parse(side)
		if err != nil {
			return nil, err
		}
		if in != nil && !(slices.Equal(in.Stack, m.Inputs.Stack) && maps.Equal(in.ExtStr, m.Inputs.ExtStr) && maps.Equal(in.TLAStr, m.Inputs.TLAStr)) {
			return nil, errors.New("it is in conflict, and its two sides name different stacks")
		}
		in = &m.Inputs
	}
	return in, nil
}

// unmerged gives the sides of a manifest that git keeps apart during a merge:
// with the attribute -merge the file itself holds only ours. Where there is no
// git to ask there is no merge.
func unmerged(dir string) ([][]byte, error) {
	repo, err := git.Around(dir)
	if err != nil || repo == nil {
		return nil, err
	}
	name, _ := repo.Rel(filepath.Join(dir, ManifestName))
	var blobs []string
	for line := range strings.Lines(repo.Ask("ls-files", "--unmerged", "--", name)) {
		fields := strings.Fields(line) // mode, object, stage, path
		if len(fields) >= 4 && fields[2] != "1" {
			blobs = append(blobs, fields[1])
		}
	}
	if len(blobs) == 0 {
		return nil, nil
	}
	return repo.Contents(blobs, MaxFile)
}
