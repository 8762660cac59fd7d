package builder

import (
	"iter"
	"regexp"
	"strings"
	"unicode"
)

// A BadLine is one that buildout refuses in a configuration.
type BadLine struct {
	N            int // from 1
	Text         string
	What, Remedy string
}

// space is what Python takes for white space.
const space = `\t\n\v\f\r\x1c-\x1f\x{85}\x{2028}\x{2029}\pZ`

var (
	// cfgHeader and cfgOption take what zc.buildout's parser takes for a section's header
	// and for an option, 2.13 to 5.2.
	cfgHeader = regexp.MustCompile(`^\[[` + space + `]*[^` + space + `#\[\]:;{}]+[` + space + `]*(?::([^#;]*))?[` + space + `]*\][` + space + `]*(?:[#;].*)?$`)
	cfgName   = regexp.MustCompile(`^\[[` + space + `]*([^` + space + `#\[\]:;{}]+)`)
	cfgOption = regexp.MustCompile(`^[^` + space + `{}\[\]=:]+[` + space + `]*[-+]?=`)
)

// A cfgState is what a line's meaning depends on: an indented one goes on with the last
// option, and a section whose expression does not hold is passed over.
type cfgState struct{ option, skipped bool }

// BadLines are the lines of a text that stands below a header of a section, for which
// buildout refuses the whole file. Whether a section's expression holds only a host can
// tell: a line is among them where it is bad either way.
func BadLines(text string) []BadLine {
	var bad []BadLine
	states := map[cfgState]bool{{}: true}
	for n, line := range cfgLines(text) {
		if isComment(line) {
			continue
		}
		next, good := map[cfgState]bool{}, false
		for s := range states {
			after, ok := s.read(line)
			good = good || ok
			for _, a := range after {
				next[a] = true
			}
		}
		states = next
		if m := cfgHeader.FindStringSubmatch(line); m != nil && m[1] != "" && strings.TrimSpace(m[1]) == "" {
			bad = append(bad, BadLine{n, line, "its expression is empty", "write [NAME], or an expression after the colon"})
		} else if !good {
			what, remedy := reason(line, n)
			bad = append(bad, BadLine{n, line, what, remedy})
		}
	}
	return bad
}

// read gives what may follow a line.
func (s cfgState) read(line string) (after []cfgState, good bool) {
	first, blank := firstRune(line), strings.TrimSpace(line) == ""
	header := cfgHeader.FindStringSubmatch(line)
	switch {
	case isSpace(first) && s.option:
		return []cfgState{s}, true
	case header != nil && header[1] != "":
		return []cfgState{{}, {option: s.option, skipped: true}}, true
	case header != nil:
		return []cfgState{{}}, true
	case strings.HasPrefix(line, "=>") || cfgOption.MatchString(line):
		if s.skipped {
			return []cfgState{s}, true
		}
		return []cfgState{{option: true}}, true
	}
	return []cfgState{s}, blank && !s.option
}

// cfgLines are the lines of a text as buildout's parser has them, by number from 1: of an
// empty one there is its line break, which is white space.
func cfgLines(text string) iter.Seq2[int, string] {
	return func(yield func(int, string) bool) {
		n := 0
		for line := range strings.Lines(text) {
			n++
			if line = strings.TrimSuffix(line, "\n"); line == "" {
				line = " "
			}
			if !yield(n, line) {
				return
			}
		}
	}
}

// isComment tells whether a line is one.
func isComment(line string) bool { return line[0] == '#' || line[0] == ';' }

func firstRune(line string) rune {
	for _, r := range line {
		return r
	}
	return ' '
}

func isSpace(r rune) bool { return unicode.IsSpace(r) || r >= 0x1c && r <= 0x1f }

// reason says in words why a line is bad, and what to write.
func reason(line string, n int) (what, remedy string) {
	name, _, colon := strings.Cut(line, ":")
	switch {
	case strings.HasPrefix(line, "["):
		return "it is no header of a section", "write [NAME] alone on its line, or [NAME] and a comment after a # or ;: no blanks in the name"
	case isSpace(firstRune(line)):
		return "it is indented, and no option stands before it", "begin the option at the start of its line"
	case colon && regexp.MustCompile(`^[A-Za-z0-9_.-]+[ \t]*$`).MatchString(name):
		return "it is no option", "write " + strings.TrimSpace(name) + " = …: buildout knows no colon there"
	}
	return "it is neither a header, an option nor a comment", "write NAME = VALUE, or indent it where it goes on with the option before it"
}
