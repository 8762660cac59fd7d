package escape

import (
	"errors"
	"regexp"
	"strings"
	"unicode/utf8"
)

var envName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// EnvFile writes one assignment that systemd's EnvironmentFile= and sh read
// alike. systemd drops a variable whose value holds a control character, so
// such a value is an error here.
func EnvFile(name, value string) (string, error) {
	if !envName.MatchString(name) {
		return "", errors.New("not a variable's name")
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
