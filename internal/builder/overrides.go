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

// overrides are the options that are warned of: by their section, name, operation and how
// their value begins.
var overrides = []struct {
	code             string
	section, name    *regexp.Regexp
	operation, value *regexp.Regexp
	what, remedy     string
}{
	{"buildout-override", regexp.MustCompile(`^buildout$`), regexp.MustCompile(`^parts$`), plain, anything,
		"replaces all parts that plonec asks for, the clients among them", "list parts in buildout_parts_to_include, or write parts += …"},
	{"buildout-override", regexp.MustCompile(`^buildout$`), regexp.MustCompile(`^extends$`), regexp.MustCompile(`^[-+]=$`), anything,
		"does nothing: buildout knows no += and -= of what it extends", "list more files in buildout_extends"},
	{"buildout-override", regexp.MustCompile(`^buildout$`), regexp.MustCompile(`^extends$`), plain, anything,
		"replaces the files that deploy.cfg extends, the base configuration among them", "list more files in buildout_extends; the base is plone_instances.base_config"},
	{"buildout-override", regexp.MustCompile(`^client[0-9]+$`), regexp.MustCompile(`^http-address$`), anything, anything,
		"moves a client away from the address at which the balancers and its agent look for it", "take the line out: plonec gives each client its address"},
	{"bad-pin", regexp.MustCompile(`^versions$`), anything, plain, regexp.MustCompile(`^=(?:[^=]|$)`),
		"stops buildout when it looks for that package: the version begins with =", "write one equals sign: NAME = VERSION"},
	{"bad-pin", regexp.MustCompile(`^versions$`), regexp.MustCompile(`[<>!~]$`), plain, anything,
		"pins nothing: buildout takes the sign before = for a part of the name", "write NAME = VERSION, or NAME = >=VERSION"},
}

var plain, anything = regexp.MustCompile(`^=$`), regexp.MustCompile(``)

// Overrides are the lines of a text below [buildout] that undo what deploy.cfg says or do
// nothing of what they say. Its lines are such as buildout takes.
func Overrides(text string) []Override {
	var found []Override
	lines := strings.Split(text, "\n")
	for section, option := range Pasted(text) {
		for _, o := range overrides {
			if o.section.MatchString(section) && o.name.MatchString(option.Name) && o.operation.MatchString(option.Op) && o.value.MatchString(option.Value) {
				found = append(found, Override{BadLine{option.Line, lines[option.Line-1], o.what, o.remedy}, o.code})
				break
			}
		}
	}
	return found
}
