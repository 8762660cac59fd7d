package escape

import (
	"errors"
	"strings"
)

// Shell quotes s as one word of sh.
func Shell(s string) (string, error) {
	if strings.ContainsRune(s, 0) {
		return "", errors.New("holds a NUL")
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'", nil
}

// Words splits s at white space as people expect of a shell, without being
// one: single and double quotes keep blanks, a backslash takes the next
// character as it is (not within single quotes), and nothing else is special.
func Words(s string) ([]string, error) {
	var (
		words []string
		word  strings.Builder
		open  bool // a word has begun, be it empty
		quote rune // the quote that is open
		esc   bool // after a backslash
	)
	for _, r := range s {
		switch {
		case esc:
			if quote == '"' && r != '"' && r != '\\' {
				word.WriteByte('\\')
			}
			word.WriteRune(r)
			esc = false
		case r == '\\' && quote != '\'':
			open, esc = true, true
		case quote != 0 && r == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(r)
		case r == '"' || r == '\'':
			open, quote = true, r
		case r == ' ' || r == '\t' || r == '\n':
			if open {
				words = append(words, word.String())
				word.Reset()
				open = false
			}
		default:
			open = true
			word.WriteRune(r)
		}
	}
	switch {
	case quote != 0:
		return nil, errors.New("a quote is not closed")
	case esc:
		return nil, errors.New("ends with a backslash")
	case open:
		words = append(words, word.String())
	}
	return words, nil
}

// ShellWords quotes each of list as one word of sh, for the inside of a bash
// array.
func ShellWords(list []string) (string, error) {
	words := make([]string, len(list))
	for i, s := range list {
		word, err := Shell(s)
		if err != nil {
			return "", err
		}
		words[i] = word
	}
	return strings.Join(words, " "), nil
}
