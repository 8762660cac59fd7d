package secret

import (
	"cmp"
	"crypto/rand"
	"crypto/sha512"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/go-crypt/x/crypt"

	"github.com/plonec/plonec/internal/tree"
	"github.com/plonec/plonec/render"
	"github.com/plonec/plonec/render/escape"
)

// userlist is the name of HAProxy's list, which haproxy.cfg refers to.
const userlist = "plonec"

var (
	variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	pieceName    = regexp.MustCompile(`^[a-z]*$`)
	userName     = regexp.MustCompile(`^[A-Za-z0-9_.@-]+$`)
)

// malformed says what is wrong with a manifest's entry.
func malformed(s tree.Secret) *fault {
	good := (len(s.Entries) > 0 || s.Format == "userlist") && !slices.ContainsFunc(s.Entries, func(e tree.SecretEntry) bool {
		return strings.ContainsFunc(e.Source+e.Dir, unicode.IsControl) // both are printed
	})
	switch s.Format {
	case "raw":
		// Several follow each other: a certificate, and the chain of its issuers.
		good = good && keysMatch(s, pieceName)
	case "env":
		good = good && keysMatch(s, variableName)
	case "userlist":
		good = good && keysMatch(s, userName)
	default:
		good = false
	}
	if good {
		return nil
	}
	return &fault{"the manifest's entry is none that this plonec writes", "run plonec build with this release"}
}

func keysMatch(s tree.Secret, want *regexp.Regexp) bool {
	seen := map[string]bool{}
	for _, e := range s.Entries {
		if !want.MatchString(e.Key) || seen[e.Key] {
			return false
		}
		seen[e.Key] = true
	}
	return true
}

// unfit says why a value cannot stand in a file of the format.
func unfit(format, source, value string) *fault {
	if format == "raw" {
		return nil
	}
	if strings.ContainsAny(value, "\n\r") {
		return &fault{source + " has a line break, which a variable or a password may not have", "give it in one line"}
	}
	if format == "env" {
		if _, err := escape.EnvFile("NAME", value); err != nil {
			return &fault{source + " cannot be a variable's value: " + err.Error(), "encode the secret as text"}
		}
		return nil
	}
	if strings.ContainsFunc(value, unicode.IsControl) {
		return &fault{source + " has a control character, which no browser sends in a password", "take another password"}
	}
	if len(value) > render.MaxPassword {
		return &fault{fmt.Sprintf("%s is longer than %d bytes, which HAProxy would sum at each request", source, render.MaxPassword), "take a shorter password"}
	}
	return nil
}

// contents writes a secret file. existing is the one that is there.
func contents(s tree.Secret, values []Value, existing []byte) ([]byte, error) {
	if wrong := malformed(s); wrong != nil || len(values) != len(s.Entries) {
		return nil, fmt.Errorf("%s:%s cannot be rendered: run plonec build with this release", s.Host, s.Path)
	}
	var b strings.Builder
	switch s.Format {
	case "raw":
		for _, v := range values {
			text := v.plain()
			if strings.ContainsRune(text, '\n') { // a key: ssh wants its last line to end
				text = strings.TrimRight(text, "\r\n") + "\n"
			}
			b.WriteString(text)
		}
	case "env":
		for i, e := range s.Entries {
			line, err := escape.EnvFile(e.Key, values[i].plain())
			if err != nil {
				return nil, fmt.Errorf("%s:%s %s: %w", s.Host, s.Path, e.Key, err)
			}
			b.WriteString(line + "\n")
		}
	case "userlist":
		old := salts(existing)
		b.WriteString("userlist " + userlist + "\n")
		for i, e := range s.Entries {
			b.WriteString("    user " + e.Key + " password " + hash(values[i].plain(), old[e.Key]) + "\n")
		}
	}
	return []byte(b.String()), nil
}

// userLine is the beginning of a line that contents wrote, to the end of its salt.
// A hash with a number of rounds is none of ours: a host could make it cost
// minutes.
var userLine = regexp.MustCompile(`(?m)^    user (\S+) password \$6\$([./0-9A-Za-z]{1,16})\$`)

// salts are those of a file, or of what a host says of it, by user: the hashes
// themselves need not leave it.
func salts(file []byte) map[string]string {
	found := map[string]string{}
	for _, m := range userLine.FindAllSubmatch(file, -1) {
		found[string(m[1])] = string(m[2])
	}
	return found
}

// hash takes the salt that there is, so that the same password has the same hash.
func hash(password, salt string) string {
	return sha512crypt(password, cmp.Or(salt, rand.Text()[:16]))
}

// sha512crypt is what openssl passwd -6 prints; 5000 rounds are what crypt(3)
// does where a hash names no number.
func sha512crypt(password, salt string) string {
	return "$6$" + salt + "$" + string(crypt.KeySHACrypt(sha512.New, []byte(password), []byte(salt), 5000))
}
