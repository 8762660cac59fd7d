package escape

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Buildout gives s as the value of a buildout option on one line. The syntax
// has no quotes and no escapes: white space at the ends is lost, a line break
// starts something else, and ${ begins a reference, so that such values are
// refused.
func Buildout(s string) (string, error) {
	if err := oneLine(s); err != nil {
		return "", err
	}
	if strings.Contains(s, "${") {
		return "", fmt.Errorf("%q has ${, which begins a reference in buildout", s)
	}
	return s, nil
}

// BuildoutWord gives s as one item of a list such as extends or eggs, which
// buildout splits at white space and which may hold comments.
func BuildoutWord(s string) (string, error) {
	if s == "" || s[0] == '#' || s[0] == ';' || strings.ContainsFunc(s, unicode.IsSpace) {
		return "", fmt.Errorf("%q is no single word", s)
	}
	return Buildout(s)
}

var buildoutName = regexp.MustCompile(`^[A-Za-z0-9_.-]+$`)

// BuildoutName gives s as the name of a section or part. Headers may hold
// Python, which buildout evaluates, so that nothing else passes.
func BuildoutName(s string) (string, error) {
	if !buildoutName.MatchString(s) {
		return "", fmt.Errorf("%q is no name of a part: letters, digits, _ . -", s)
	}
	return s, nil
}

// oneLine refuses what ends a line for any of Python's readers, what they
// strip, and what is no text.
func oneLine(s string) error {
	if !utf8.ValidString(s) {
		return fmt.Errorf("%q is not UTF-8", s)
	}
	if strings.TrimFunc(s, unicode.IsSpace) != s {
		return fmt.Errorf("%q has white space at its ends", s)
	}
	for _, r := range s {
		if unicode.IsControl(r) && r != '\t' || r == '\u2028' || r == '\u2029' {
			return fmt.Errorf("%q has a line break or control character", s)
		}
	}
	return nil
}
