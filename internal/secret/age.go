package secret

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"filippo.io/age"
	"filippo.io/age/armor"
)

// ageFile is a decrypted file: its values by their names.
type ageFile struct {
	values   map[string]Value
	warnings []*fault
}

type identities struct {
	path     string
	list     []age.Identity
	warnings []*fault
}

// What age's files begin with.
const (
	ageIntro        = "age-encryption.org/"
	passphraseIntro = "age-encryption.org/v1\n-> scrypt "
)

func (r *Resolver) fromAge(ref reference, rest string) (string, []*fault, *fault) {
	name, key, _ := strings.Cut(rest, "#")
	path := ref.path(name)
	file, f := slot(r, &r.ageFiles, path).get(func() (ageFile, *fault) { return r.openAge(path) })
	if f != nil {
		return "", file.warnings, f
	}
	value, ok := file.values[key]
	if !ok {
		return "", file.warnings, &fault{ref.source + ": there is no " + key + " in " + path, "add it to the file, or fix the reference"}
	}
	return value.plain(), file.warnings, nil
}

// openAge decrypts a file and reads what is in it. What age and encoding/json
// say in their errors may be a part of the file: it is not passed on.
func (r *Resolver) openAge(path string) (ageFile, *fault) {
	const recipe = "age-keygen -y IDENTITY prints it, age -r RECIPIENT -o FILE encrypts"
	data, _, err := readSecret(path) // encrypted: anybody may read it
	if err != nil {
		return ageFile{}, &fault{path + " " + err.Error(), "put the age file there, or fix the reference"}
	}
	data, ok := unarmored(data)
	if !ok {
		return ageFile{}, &fault{path + " is no age file", "encrypt it with age; a file of sops is read by cmd:sops decrypt --extract '[\"KEY\"]' FILE"}
	}
	if bytes.HasPrefix(data, []byte(passphraseIntro)) {
		return ageFile{}, &fault{path + " is protected by a passphrase, and nobody is asked for one", "encrypt it for the recipient of an identity: " + recipe}
	}
	ids, f := r.identity.get(r.identities)
	if f != nil {
		return ageFile{}, f
	}
	file := ageFile{warnings: ids.warnings}
	plain, err := age.Decrypt(bytes.NewReader(data), ids.list...)
	var other *age.NoIdentityMatchError
	if errors.As(err, &other) {
		return file, &fault{path + " is not encrypted for the identity in " + ids.path, "encrypt it for that one's recipient too: " + recipe}
	}
	var text []byte
	if err == nil {
		text, err = io.ReadAll(plain)
	}
	if err != nil {
		return file, &fault{path + " is damaged", "take it from where it was made, whole"}
	}
	if file.values, err = names(string(text)); err != nil {
		return file, &fault{"in " + path + ", decrypted: " + err.Error(), "write NAME=VALUE a line, or a JSON object of texts"}
	}
	return file, nil
}

// unarmored tells whether the data is an age file, and gives its binary form.
func unarmored(data []byte) ([]byte, bool) {
	if bytes.HasPrefix(bytes.TrimSpace(data), []byte(armor.Header)) {
		var err error
		if data, err = io.ReadAll(armor.NewReader(bytes.NewReader(data))); err != nil {
			return nil, false
		}
	}
	return data, bytes.HasPrefix(data, []byte(ageIntro))
}

// identities reads the first identity file there is. One that a variable names
// has to be there.
func (r *Resolver) identities() (identities, *fault) {
	var path string
	for _, name := range []string{"PLONEC_AGE_IDENTITY", "SOPS_AGE_KEY_FILE"} {
		if path, _ = r.getenv(name); path != "" {
			break
		}
	}
	if path != "" {
		return readIdentities(path)
	}
	config, _ := r.getenv("XDG_CONFIG_HOME")
	if !filepath.IsAbs(config) {
		home, _ := r.getenv("HOME")
		config = filepath.Join(home, ".config")
	}
	own := filepath.Join(config, "plonec", "age.txt")
	for _, path := range []string{own, filepath.Join(config, "sops", "age", "keys.txt")} {
		if _, err := os.Stat(path); err == nil {
			return readIdentities(path)
		}
	}
	return identities{}, &fault{"there is no age identity in " + own, "make one with age-keygen -o " + own + ", or name the file in $PLONEC_AGE_IDENTITY"}
}

func readIdentities(path string) (identities, *fault) {
	data, warnings, err := readSecret(path)
	if err != nil {
		return identities{}, &fault{"the age identity " + path + " " + err.Error(), "name another in $PLONEC_AGE_IDENTITY"}
	}
	const elsewhere = "name one that age-keygen made in $PLONEC_AGE_IDENTITY, or let age itself decrypt: cmd:age -d -i IDENTITY FILE"
	if _, ok := unarmored(data); ok {
		return identities{}, &fault{"the age identity " + path + " is itself encrypted", elsewhere}
	}
	if bytes.HasPrefix(data, []byte("-----BEGIN")) {
		return identities{}, &fault{"the age identity " + path + " is an ssh key, which plonec does not read", elsewhere}
	}
	list, err := age.ParseIdentities(bytes.NewReader(data))
	if err != nil {
		return identities{}, &fault{"the age identity " + path + " has no line AGE-SECRET-KEY-1…, or another kind of line", elsewhere}
	}
	return identities{path, list, warnings}, nil
}

// names reads a JSON object of texts, or lines NAME=VALUE. An error never
// quotes the text.
func names(text string) (map[string]Value, error) {
	text = strings.TrimPrefix(text, "\ufeff")
	values := map[string]Value{}
	if strings.HasPrefix(strings.TrimSpace(text), "{") {
		var object map[string]any
		if err := json.Unmarshal([]byte(text), &object); err != nil {
			return nil, errors.New("this is no JSON object")
		}
		for _, name := range slices.Sorted(maps.Keys(object)) {
			s, ok := object[name].(string)
			if !ok {
				return nil, fmt.Errorf("the value of %q is no text", name)
			}
			values[name] = NewValue(s)
		}
		return values, nil
	}
	n := 0
	for line := range strings.Lines(text) {
		n++
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		m := assignment.FindStringSubmatch(line)
		if m == nil {
			return nil, fmt.Errorf("line %d is no NAME=VALUE", n)
		}
		value, err := unquoted(m[2])
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		if _, twice := values[m[1]]; twice {
			return nil, fmt.Errorf("line %d has a name that an earlier one has", n)
		}
		values[m[1]] = NewValue(value)
	}
	return values, nil
}

var (
	assignment = regexp.MustCompile(`^(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_.-]*)[ \t]*=[ \t]*(.*)$`)
	single     = regexp.MustCompile(`^'([^']*)'[ \t]*(?:#.*)?$`)
	double     = regexp.MustCompile("^\"((?:[^\"\\\\]|\\\\[n\"\\\\$`])*)\"[ \t]*(?:#.*)?$")
	escapes    = strings.NewReplacer(`\n`, "\n", `\"`, `"`, `\\`, `\`, `\$`, "$", "\\`", "`")
)

// unquoted takes the quotes off a value. Where readers of such files disagree
// on what a value means, it is an error.
func unquoted(s string) (string, error) {
	switch {
	case strings.HasPrefix(s, "'"):
		if m := single.FindStringSubmatch(s); m != nil {
			return m[1], nil
		}
		return "", errors.New("after ' want the value, and ' at its end")
	case strings.HasPrefix(s, `"`):
		if m := double.FindStringSubmatch(s); m != nil {
			return escapes.Replace(m[1]), nil
		}
		return "", errors.New("after \" want the value, a backslash before \", \\, $ and ` and in \\n alone, and \" at its end")
	case strings.HasPrefix(s, "#"), strings.Contains(s, " #"), strings.Contains(s, "\t#"):
		return "", errors.New("a # after a blank: quote the value, and put a comment on a line of its own")
	}
	return s, nil
}
