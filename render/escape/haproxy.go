package escape

import (
	"regexp"
	"strings"
)

var haproxyPlain = regexp.MustCompile(`^[A-Za-z0-9_./:@,=+~-]+$`)

// Haproxy gives s as one word of a line in haproxy.cfg. Between single quotes
// nothing is special but the quote itself. Line breaks and other control
// characters have no form there, and are refused. It is not for places that
// HAProxy reads once more: formats with %[…], and sample expressions.
func Haproxy(s string) (string, error) {
	if err := printable(s); err != nil {
		return "", err
	}
	if haproxyPlain.MatchString(s) {
		return s, nil
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'", nil
}
