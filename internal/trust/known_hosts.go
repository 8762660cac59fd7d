package trust

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	pathpkg "path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/plonec/plonec/internal/git"
	"github.com/plonec/plonec/internal/regular"
	"github.com/plonec/plonec/internal/tree"
	"github.com/plonec/plonec/internal/words"
)

// A known_hosts file is named by a manifest, so a branch may have it be anything. It
// is read within the repository alone, and of it only what is a key is shown.

// maxKnownHosts bounds a known_hosts that is compared, in bytes. One of 1,000 hosts
// with three keys each has 0.6 MiB.
const maxKnownHosts = 1 << 20

// A Location is a tree's folder in a repository.
type Location struct {
	Top  string // of the repository, absolute; empty: it is in none
	Tree string // the folder from there, with slashes
}

// LocationOf is where a folder is.
func LocationOf(dir string) (Location, error) {
	repo, err := git.Around(dir)
	if err != nil || repo == nil {
		return Location{}, err
	}
	rel, _ := repo.Rel(dir)
	return Location{repo.Top, rel}, nil
}

// inside is where a known_hosts lies in the repository, as a manifest names it: from
// the tree's folder, or absolute; false for one outside, which is the machine's own and
// no branch's. Links on the way are not followed: the name is what a revision is asked
// for.
func (p Location) inside(name string) (string, bool) {
	switch {
	case name == "" || p.Top == "":
		return "", false
	case filepath.IsAbs(name):
		rel, err := filepath.Rel(p.Top, name)
		return filepath.ToSlash(rel), err == nil && filepath.IsLocal(rel)
	}
	rel := pathpkg.Join(p.Tree, filepath.ToSlash(name))
	return rel, filepath.IsLocal(rel)
}

// keys gives a known_hosts of the repository; false: it is not there, or not the
// repository's. One that is there and cannot be read is like no other.
func (p Location) keys(name string) (string, bool) {
	rel, inside := p.inside(name)
	if !inside {
		return "", false
	}
	data, err := regular.ReadBelow(p.Top, filepath.FromSlash(rel), maxKnownHosts)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", false
	case err != nil:
		return unread + err.Error(), true
	}
	return string(data), true
}

// unread begins the text of a file that cannot be read, and says why only to the sum.
const unread = "\x00"

// keyLines are what ssh reads of a known_hosts, once each and sorted: comments, blanks
// and the order mean nothing to it.
func keyLines(content string) []string {
	list := words.Statements(content)
	for i, line := range list {
		if k, ok := parseKey(line); ok {
			list[i] = strings.TrimSpace(k.marker + " " + k.hosts + " " + k.kind + " " + k.key)
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// A knownKey is a line of known_hosts: a key, and the hosts whose it is.
type knownKey struct{ marker, hosts, kind, key string }

// parseKey reads a line; false: it holds no key.
func parseKey(line string) (k knownKey, ok bool) {
	words := strings.Fields(line)
	if len(words) > 0 && (words[0] == "@cert-authority" || words[0] == "@revoked") {
		k.marker, words = words[0], words[1:]
	}
	if len(words) < 3 {
		return k, false
	}
	k.hosts, k.kind, k.key = words[0], words[1], words[2]
	// The key itself begins with its kind, and that with its length.
	data, err := base64.StdEncoding.DecodeString(k.key)
	head := append(binary.BigEndian.AppendUint32(nil, uint32(len(k.kind))), k.kind...)
	return k, err == nil && bytes.HasPrefix(data, head) && len(data) > len(head)
}

// String is the line with its key as ssh-keygen -l shows it.
func (k knownKey) String() string {
	data, _ := base64.StdEncoding.DecodeString(k.key)
	sum := sha256.Sum256(data)
	return strings.TrimSpace(fmt.Sprintf("%s %s %s SHA256:%s", k.marker, k.hosts, k.kind, base64.RawStdEncoding.EncodeToString(sum[:])))
}

// of tells whether ssh may take the key for one of some names.
func (k knownKey) of(names []string) bool {
	if k.marker != "" {
		return true
	}
	for pattern := range strings.SplitSeq(k.hosts, ",") {
		if salted, ok := strings.CutPrefix(pattern, "|1|"); ok {
			salt, sum, _ := strings.Cut(salted, "|")
			if slices.ContainsFunc(names, func(name string) bool { return saltedSum(salt, name) == sum }) {
				return true
			}
			continue
		}
		if host, _, port := strings.Cut(pattern, "]:"); port { // [host]:port
			pattern = strings.TrimPrefix(host, "[")
		}
		if strings.ContainsAny(pattern, "*?") || slices.Contains(names, strings.ToLower(pattern)) {
			return true
		}
	}
	return false
}

// saltedSum is what ssh-keygen -H writes in the place of a name.
func saltedSum(salt, name string) string {
	key, err := base64.StdEncoding.DecodeString(salt)
	if err != nil {
		return ""
	}
	sum := hmac.New(sha1.New, key)
	sum.Write([]byte(name))
	return base64.StdEncoding.EncodeToString(sum.Sum(nil))
}

// keyChanges are known_hosts files whose content is another, each with the hosts that
// are known by it.
type keyChanges []keyChange

type keyChange struct {
	hosts         []string
	names         []string // under which ssh looks for them
	before, after string   // contents
}

func (list *keyChanges) add(host string, before, after string, at ...reach) {
	var names []string
	for _, r := range at {
		for _, name := range []string{host, r.Address} {
			names = append(names, strings.ToLower(name))
			if r.Port != 0 {
				names = append(names, fmt.Sprintf("[%s]:%d", strings.ToLower(name), r.Port))
			}
		}
	}
	for i := range *list {
		if k := &(*list)[i]; k.before == before && k.after == after {
			k.hosts, k.names = append(k.hosts, host), append(k.names, names...)
			return
		}
	}
	*list = append(*list, keyChange{[]string{host}, names, before, after})
}

// lines are the keys that the file got and lost, with fingerprints. Those of the hosts
// themselves are all told; of others, and of lines that are no keys, how many.
func (k keyChange) lines() []string {
	const most = 10
	var own, others []string
	none, noFile := 0, ""
	tell := func(sign string, list []string) {
		for _, line := range list {
			key, ok := parseKey(line)
			switch {
			case strings.HasPrefix(line, unread):
				noFile = sign + " it is no file that is read: one of at most 1 MiB, in the repository and not by a link out of it"
			case !ok:
				none++
			case key.of(k.names):
				own = append(own, sign+" "+key.String())
			default:
				others = append(others, sign+" "+key.String())
			}
		}
	}
	was, is := keyLines(k.before), keyLines(k.after)
	tell("-", words.Without(was, is))
	tell("+", words.Without(is, was))
	if noFile != "" {
		own = append(own, noFile)
	}
	if room := max(most-len(own), 0); len(others) > room {
		more := len(others) - room
		others = append(others[:room], fmt.Sprintf("and %s of other hosts", words.Count(more, "more key")))
	}
	own = append(own, others...)
	if none > 0 {
		own = append(own, fmt.Sprintf("and %s without a key, not shown", words.Count(none, "changed line")))
	}
	return own
}

// OtherKeys says of which hosts a known_hosts that the repository has by the same name
// before and after holds other keys.
func OtherKeys(before []tree.Host, then Location, after []tree.Host, now Location) []string {
	was, is := rollOf(before, then.relative), rollOf(after, now.relative)
	var changes keyChanges
	for _, h := range after {
		a, there := was.Hosts[h.Name]
		if b := is.reach(h); there && a.KnownHosts == b.KnownHosts && a.Keys != b.Keys {
			changes.add(h.Name, was.Keys[a.Keys], is.Keys[b.Keys], a, b)
		}
	}
	var list []string
	for _, k := range changes {
		list = append(list, strings.Join(words.Runs(k.hosts), " ")+": known_hosts holds other keys: "+strings.Join(k.lines(), ", "))
	}
	return list
}

// relative is keys for a name that means the same in every checkout.
func (p Location) relative(name string) (string, bool) {
	if filepath.IsAbs(name) {
		return "", false
	}
	return p.keys(name)
}
