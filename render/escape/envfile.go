package escape

import (
	"errors"
	"regexp"
	"strings"
	"unicode/utf8"
)

var envName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// EnvFile writes one assignment that a host's scripts and sh read alike. A value
// with a control character, which no program here wants, is an error; so is the
// one name of which sh takes a number only.
func EnvFile(name, value string) (string, error) {
	switch {
	case !envName.MatchString(name):
		return "", errors.New("not a variable's name")
	case name == "OPTIND":
		return "", errors.New("the shell's own variable, which is to have another name")
	}
	if !utf8.ValidString(value) {
		return "", errors.New("not valid UTF-8")
	}
	var b strings.Builder
	b.WriteString(name + `="`)
	for _, r := range value {
		switch {
		case strings.ContainsRune("\"\\`$", r):
			b.WriteByte('\\')
		case r != '\t' && r != '\n' && (r < ' ' || r == 0x7f):
			return "", errors.New("holds a control character")
		}
		b.WriteRune(r)
	}
	b.WriteByte('"')
	return b.String(), nil
}
