package escape

import (
	"errors"
	"strings"
	"unicode/utf8"
)

// SystemdWord quotes s as one word of a unit's setting that takes a list of
// words or assignments, such as Environment= or ReadWritePaths=.
func SystemdWord(s string) (string, error) {
	if !utf8.ValidString(s) {
		return "", errors.New("not valid UTF-8")
	}
	var b strings.Builder
	b.Grow(len(s) + 2)
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '\\' || r == '"':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '%':
			b.WriteString("%%")
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case r < ' ' || r == 0x7f:
			return "", errors.New("holds a control character")
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String(), nil
}

// SystemdExec quotes s as one argument of an Exec setting, where a dollar
// would be a variable too. It is not for the program's own path, in which
// systemd replaces no variables.
func SystemdExec(s string) (string, error) {
	return SystemdWord(strings.ReplaceAll(s, "$", "$$"))
}

// SystemdLine writes s where a setting takes the whole rest of the line and
// knows no quotes, such as Description= or WorkingDirectory=.
func SystemdLine(s string) (string, error) {
	switch {
	case !utf8.ValidString(s):
		return "", errors.New("not valid UTF-8")
	case strings.TrimSpace(s) != s:
		return "", errors.New("begins or ends with a blank")
	case strings.HasSuffix(s, `\`):
		return "", errors.New("ends with a backslash, which continues the line")
	case strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return "", errors.New("holds a control character")
	}
	return strings.ReplaceAll(s, "%", "%%"), nil
}

// SystemdName writes s as a part of a unit's name that is no hierarchy: a dash
// in a slice's name would make a child of it.
func SystemdName(s string) string { return strings.ReplaceAll(s, "-", `\x2d`) }
