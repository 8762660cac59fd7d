package builder

import (
	"regexp"
	"strings"
)

// An Override is a line that buildout takes, and that does what nobody means who pastes it
// at the end of deploy.cfg.
type Override struct {
	BadLine
	Code string // of the diagnostic
}

// overrides are the options that are warned of: of a section, by its name, and with what
// between the name and the value.
var overrides = []struct {
	code            string
	section, option *regexp.Regexp
	what, remedy    string
}{
	{"buildout-override", regexp.MustCompile(`^buildout$`), regexp.MustCompile(`^parts *=`),
		"replaces all parts that plonec asks for, the clients among them", "list parts in buildout_parts_to_include, or write parts += …"},
	{"buildout-override", regexp.MustCompile(`^buildout$`), regexp.MustCompile(`^extends *[-+]=`),
		"does nothing: buildout knows no += and -= of what it extends", "list more files in buildout_extends"},
	{"buildout-override", regexp.MustCompile(`^buildout$`), regexp.MustCompile(`^extends *=`),
		"replaces the files that deploy.cfg extends, the base configuration among them", "list more files in buildout_extends; the base is plone_instances.base_config"},
	{"buildout-override", regexp.MustCompile(`^client[0-9]+$`), regexp.MustCompile(`^http-address *[-+]?=`),
		"moves a client away from the address at which the balancers and its agent look for it", "take the line out: plonec gives each client its address"},
	{"bad-pin", regexp.MustCompile(`^versions$`), regexp.MustCompile(`^\S+ *==`),
		"stops buildout when it looks for that package: the version begins with =", "write one equals sign: NAME = VERSION"},
	{"bad-pin", regexp.MustCompile(`^versions$`), regexp.MustCompile(`^\S*[<>!~] *=`),
		"pins nothing: buildout takes the sign before = for a part of the name", "write NAME = VERSION, or NAME = >=VERSION"},
}

// Overrides are the lines of a text below [buildout] that undo what deploy.cfg says or do
// nothing of what they say. A section that has an expression counts as if it held.
func Overrides(text string) []Override {
	var found []Override
	section, n := "buildout", 0
	for line := range strings.Lines(text) {
		n++
		line = strings.TrimSuffix(line, "\n")
		if line == "" || isSpace(firstRune(line)) || line[0] == '#' || line[0] == ';' {
			continue
		}
		if cfgHeader.MatchString(line) {
			name, _, _ := strings.Cut(line[1:strings.IndexByte(line, ']')], ":")
			section = strings.TrimSpace(name)
			continue
		}
		for _, o := range overrides {
			if o.section.MatchString(section) && o.option.MatchString(line) && cfgOption.MatchString(line) {
				found = append(found, Override{BadLine{n, line, o.what, o.remedy}, o.code})
				break
			}
		}
	}
	return found
}
